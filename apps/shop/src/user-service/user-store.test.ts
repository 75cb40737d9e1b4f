import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openDatabase } from "../storage/open-database.ts";
import { splitName } from "./person-name.ts";
import { openUserChanges } from "./user-changes.ts";
import type { StoredUser } from "./user-row.ts";
import { userMigrations } from "./user-schema.ts";
import { createUserStore, type UserStore } from "./user-store.ts";

let database: DatabaseSync;
let store: UserStore;
let now: number;
beforeEach(() => {
  now = 1_000;
  database = openDatabase(":memory:", userMigrations);
  store = createUserStore(database, { nowMs: () => now });
});
afterEach(() => database.close());

function add(name: string, email = `${name}@x.org`): StoredUser {
  const user = store.create({ name: splitName(name), email });
  assert.ok(user !== "email-taken");
  return user;
}
const namesOf = (users: StoredUser[]) => users.map((user) => user.name);
const batchesOf = (filter: string, size: number) => [...store.batches(filter, size)].map(namesOf);

test("a new user has a UUID and the time of its creation", () => {
  const user = add("Ada");
  assert.match(user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const times = { createdAtMs: 1_000, updatedAtMs: 1_000 };
  const name = { name: "Ada", firstName: "Ada", lastName: "" };
  assert.deepEqual(user, { seq: 1, id: user.id, ...name, email: "Ada@x.org", role: 1, ...times });
  assert.deepEqual(store.get(user.id), user);
});

test("an e-mail address belongs to one user, whatever its case", () => {
  add("Ada", "Ada.Löv@X.org");
  assert.equal(store.create({ name: splitName("Eve"), email: "ada.lÖv@x.ORG" }), "email-taken");
  assert.equal(store.isEmailTaken("ADA.LÖV@x.org"), true);
  assert.equal(store.isEmailTaken("ada.lov@x.org"), false);
  assert.equal(store.list("", 1, 10).total, 1);
});

test("an address is free again once its user is gone", () => {
  assert.equal(store.delete(add("Ada").id), true);
  assert.notEqual(store.create({ name: splitName("Ada"), email: "ada@x.org" }), "email-taken");
});

test("deleting tells whether there was such a user", () => {
  const { id } = add("Ada");
  assert.equal(store.delete(id), true);
  assert.equal(store.delete(id), false);
  assert.equal(store.get(id), undefined);
});

test("an update changes what is given, keeps the rest and moves the time", () => {
  const user = add("Ada");
  now = 2_000;
  const named = { ...user, name: "Ada L.", firstName: "Ada", lastName: "L.", updatedAtMs: 2_000 };
  assert.deepEqual(store.update(user.id, { name: splitName("Ada L.") }), named);
  assert.deepEqual(store.update(user.id, { email: "a@b" }), { ...named, email: "a@b" });
  assert.deepEqual(store.update(user.id, { role: 2 }), { ...named, email: "a@b", role: 2 });
});

test("an update without changes leaves the time alone", () => {
  const user = add("Ada");
  now = 2_000;
  assert.deepEqual(store.update(user.id, {}), user);
});

test("while the clock is set back, a user is not updated before it was created, nor before its last update", () => {
  const reported: string[] = [];
  const reporting = createUserStore(database, {
    nowMs: () => now,
    onChange: ({ kind, atMs }) => reported.push(`${kind} at ${atMs}`),
  });
  now = 5_000;
  const ada = reporting.create({ name: splitName("Ada"), email: "ada@x.org" });
  assert.ok(ada !== "email-taken");
  const updatedAtMs = (role: 1 | 2) => {
    const user = reporting.update(ada.id, { role });
    assert.ok(typeof user === "object");
    assert.equal(user.createdAtMs, 5_000);
    return user.updatedAtMs;
  };
  now = 1_000;
  assert.equal(updatedAtMs(2), 5_000);
  now = 7_000;
  assert.equal(updatedAtMs(1), 7_000);
  now = 6_000;
  assert.equal(updatedAtMs(2), 7_000);
  reporting.delete(ada.id);
  assert.deepEqual(reported, [
    "created at 5000",
    "updated at 5000",
    "updated at 7000",
    "updated at 7000",
    "deleted at 7000",
  ]);
});

test("a user may change the case of its own address but not take another's", () => {
  const ada = add("Ada");
  add("Eve");
  assert.deepEqual(store.update(ada.id, { email: "ADA@x.org" }), { ...ada, email: "ADA@x.org" });
  assert.equal(store.update(ada.id, { email: "EVE@x.org" }), "email-taken");
  assert.equal(store.get(ada.id)?.email, "ADA@x.org");
  assert.equal(store.update("absent", { name: splitName("x") }), "not-found");
});

test("pages follow one another in the order of creation, and the total counts every match", () => {
  for (const name of ["a1", "a2", "a3", "b1", "a4"]) add(name);
  assert.deepEqual(namesOf(store.list("a", 1, 2).users), ["a1", "a2"]);
  assert.deepEqual(store.list("A", 2, 2), {
    users: store.list("", 1, 10).users.filter((_, i) => i === 2 || i === 4),
    total: 4,
  });
  assert.deepEqual(store.list("a", 3, 2), { users: [], total: 4 });
  assert.equal(store.list("", 2_147_483_647, 100).users.length, 0);
});

const filters = [
  { promise: "a filter finds a part of the name in any case", filter: "ADA", finds: ["ada", "Adam"] },
  { promise: "a filter finds a part of the address", filter: "Five@", finds: ["5_"] },
  { promise: "case does not count beyond ASCII either", filter: "ÖSTEN", finds: ["Östen"] },
  { promise: "a decomposed letter equals the composed one", filter: "o\u0308sten", finds: ["Östen"] },
  { promise: "a percent sign is an ordinary character", filter: "%", finds: ["50%"] },
  { promise: "an underscore is an ordinary character", filter: "_", finds: ["5_"] },
  { promise: "a backslash is an ordinary character", filter: "\\", finds: ["c:\\x"] },
  { promise: "a quote is an ordinary character", filter: "'", finds: ["O'Hara"] },
  { promise: "a filter does not reach from name to address", filter: "adamadam@", finds: [] },
  { promise: "a filter with a NUL finds nothing by its beginning", filter: "ada\0x", finds: [] },
];

for (const { promise, filter, finds } of filters) {
  test(promise, () => {
    for (const name of ["ada", "Adam", "Östen", "50%", "c:\\x", "O'Hara"]) add(name);
    add("5_", "five@x.org");
    assert.deepEqual(namesOf(store.list(filter, 1, 100).users), finds);
    assert.equal(store.list(filter, 1, 100).total, finds.length);
    assert.deepEqual(batchesOf(filter, 100).flat(), finds);
  });
}

test("batches are as large as asked for and end with the matches", () => {
  for (const name of ["a1", "a2", "b1", "a3", "a4", "a5"]) add(name);
  assert.deepEqual(batchesOf("a", 2), [["a1", "a2"], ["a3", "a4"], ["a5"]]);
  assert.deepEqual(batchesOf("a", 5), [["a1", "a2", "a3", "a4", "a5"]]);
  assert.deepEqual(batchesOf("absent", 2), []);
});

test("batches leave out who came after the start, and skip who has gone since", () => {
  const users = ["a1", "a2", "a3", "a4"].map((name) => add(name));
  const batches = store.batches("", 2);
  assert.deepEqual(namesOf(batches.next().value ?? []), ["a1", "a2"]);
  add("a5");
  store.delete(users[2]?.id ?? "");
  assert.deepEqual(namesOf(batches.next().value ?? []), ["a4"]);
  assert.equal(batches.next().done, true);
});

test("each change is noted and told once it is stored, and what changes nothing is not", () => {
  const told: string[] = [];
  const changes = openUserChanges(database);
  const telling = createUserStore(database, {
    nowMs: () => now,
    changes,
    onChange: (change) => {
      // By then it is in the database, so that no one is told of what is taken back.
      assert.equal(database.isTransaction, false);
      assert.deepEqual(changes.after(change.seq - 1, 10), [change]);
      told.push(`${change.kind} ${telling.get(change.userId)?.name} at ${change.atMs}`);
    },
  });
  const ada = telling.create({ name: splitName("Ada"), email: "ada@x.org" });
  assert.ok(ada !== "email-taken");
  telling.create({ name: splitName("Eve"), email: "ada@x.org" });
  telling.update(ada.id, {});
  telling.update("absent", { role: 2 });
  now = 2_000;
  telling.update(ada.id, { name: splitName("Ada L.") });
  telling.delete(ada.id);
  telling.delete(ada.id);
  assert.deepEqual(told, ["created Ada at 1000", "updated Ada L. at 2000", "deleted undefined at 2000"]);
});

test("a password's hash is stored, and never read with the user", () => {
  const user = store.create({ name: splitName("Ada"), email: "ada@x.org", passwordHash: "scrypt$…" });
  assert.ok(user !== "email-taken");
  assert.equal(database.prepare("SELECT password_hash FROM users").get()?.password_hash, "scrypt$…");
  assert.ok(!JSON.stringify([user, store.get(user.id), store.list("", 1, 1)]).includes("scrypt"));
});

test("users of a database from before user.v1 keep what they had, in its terms", () => {
  const folder = mkdtempSync(join(tmpdir(), "shop-users-"));
  try {
    const path = join(folder, "users.db");
    const old = openDatabase(path, userMigrations.slice(0, 1));
    const insert = old.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.run(3, "id-3", "Ada  King Noel", "Ada@x.org", "ada  king noel", "ada@x.org", 1_700_000_000, 1_700_000_001);
    insert.run(5, "id-5", "Eve", "eve@x.org", "eve", "eve@x.org", 1_700_000_002, 1_700_000_003);
    old.close();
    const migrated = openDatabase(path, userMigrations);
    const users = createUserStore(migrated).list("", 1, 10).users;
    migrated.close();
    const ofBoth = { role: 1 };
    assert.deepEqual(users, [
      {
        ...ofBoth,
        seq: 3,
        id: "id-3",
        name: "Ada  King Noel",
        firstName: "Ada",
        lastName: "King Noel",
        email: "Ada@x.org",
        createdAtMs: 1_700_000_000_000,
        updatedAtMs: 1_700_000_001_000,
      },
      {
        ...ofBoth,
        seq: 5,
        id: "id-5",
        name: "Eve",
        firstName: "Eve",
        lastName: "",
        email: "eve@x.org",
        createdAtMs: 1_700_000_002_000,
        updatedAtMs: 1_700_000_003_000,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("two iterations at a time do not disturb each other", () => {
  for (const name of ["a1", "a2", "a3"]) add(name);
  const one = store.batches("", 1);
  const other = store.batches("", 2);
  assert.deepEqual(namesOf(one.next().value ?? []), ["a1"]);
  assert.deepEqual(namesOf(other.next().value ?? []), ["a1", "a2"]);
  assert.deepEqual(namesOf(one.next().value ?? []), ["a2"]);
  assert.deepEqual(namesOf(other.next().value ?? []), ["a3"]);
});

test("users survive closing and opening the file", () => {
  const folder = mkdtempSync(join(tmpdir(), "shop-users-"));
  try {
    const before = openDatabase(join(folder, "users.db"), userMigrations);
    const user = createUserStore(before).create({ name: splitName("Ada"), email: "ada@x.org" });
    before.close();
    const after = openDatabase(join(folder, "users.db"), userMigrations);
    assert.deepEqual(createUserStore(after).list("", 1, 10).users, [user]);
    after.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
