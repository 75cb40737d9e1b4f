import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Database, database, defineService, events, sql } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { splitName } from "./person-name.ts";
import type { StoredUser } from "./user-row.ts";
import { createUserStore, type UserStore } from "./user-store.ts";

let service: TestedService;
let db: Database;
let store: UserStore;
let now: number;
beforeEach(async () => {
  now = 1_000;
  const definition = defineService({
    needs: { db: database({ migrations: new URL("../migrations/", import.meta.url) }), events: events() },
    routes(_router, parts) {
      db = parts.db;
    },
  });
  service = await testService(definition);
  store = createUserStore(db, { nowMs: () => now });
});
afterEach(() => service.stop());

async function add(name: string, email = `${name}@x.org`): Promise<StoredUser> {
  const created = await store.create({ name: splitName(name), email });
  assert.ok(typeof created === "object");
  return created.user;
}
const namesOf = (users: readonly StoredUser[]) => users.map((user) => user.name);
async function batchesOf(filter: string, size: number): Promise<string[][]> {
  const batches: string[][] = [];
  for await (const users of store.batches(filter, size)) batches.push(namesOf(users));
  return batches;
}

test("a new user has a UUID and the time of its creation", async () => {
  const user = await add("Ada");
  assert.match(user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const times = { createdAtMs: 1_000, updatedAtMs: 1_000 };
  const name = { name: "Ada", firstName: "Ada", lastName: "" };
  const rest = { status: 1, metadata: "{}", profile: null };
  assert.deepEqual(user, { seq: 1, id: user.id, ...name, email: "Ada@x.org", role: 1, ...rest, ...times });
  assert.deepEqual(await store.get(user.id), user);
});

test("an email address belongs to one user, regardless of case", async () => {
  await add("Ada", "Ada.Löv@X.org");
  assert.equal(await store.create({ name: splitName("Eve"), email: "ada.lÖv@x.ORG" }), "email-taken");
  assert.equal(await store.isEmailTaken("ADA.LÖV@x.org"), true);
  assert.equal(await store.isEmailTaken("ada.lov@x.org"), false);
  assert.equal((await store.list("", 1, 10)).total, 1);
});

test("an address is free again after its user was deleted", async () => {
  assert.equal(await store.delete((await add("Ada")).id), true);
  assert.notEqual(await store.create({ name: splitName("Ada"), email: "ada@x.org" }), "email-taken");
});

test("deleting returns whether the user existed", async () => {
  const { id } = await add("Ada");
  assert.equal(await store.delete(id), true);
  assert.equal(await store.delete(id), false);
  assert.equal(await store.get(id), undefined);
});

test("an update changes the given fields and the time, and keeps the rest", async () => {
  const user = await add("Ada");
  now = 2_000;
  const named = { ...user, name: "Ada L.", firstName: "Ada", lastName: "L.", updatedAtMs: 2_000 };
  assert.deepEqual(await store.update(user.id, { name: splitName("Ada L.") }), named);
  assert.deepEqual(await store.update(user.id, { email: "a@b" }), { ...named, email: "a@b" });
  assert.deepEqual(await store.update(user.id, { role: 2 }), { ...named, email: "a@b", role: 2 });
});

test("an update without changes keeps the time", async () => {
  const user = await add("Ada");
  now = 2_000;
  assert.deepEqual(await store.update(user.id, {}), user);
});

test("an update time is never before the creation or the last update, even if the clock was set back", async () => {
  now = 5_000;
  const ada = await add("Ada");
  const updatedAtMs = async (role: 1 | 2) => {
    const user = await store.update(ada.id, { role });
    assert.ok(typeof user === "object");
    assert.equal(user.createdAtMs, 5_000);
    return user.updatedAtMs;
  };
  now = 1_000;
  assert.equal(await updatedAtMs(2), 5_000);
  now = 7_000;
  assert.equal(await updatedAtMs(1), 7_000);
  now = 6_000;
  assert.equal(await updatedAtMs(2), 7_000);
  await store.delete(ada.id);
  assert.deepEqual(await changes(), [
    "created  at 5000",
    "updated role at 5000",
    "updated role at 7000",
    "updated role at 7000",
    "deleted  at 7000",
  ]);
});

async function changes(): Promise<string[]> {
  return (await store.changes.after(0, 100)).map(({ kind, fields, atMs }) => `${kind} ${fields} at ${atMs}`);
}

test("a user may change the case of its address, but not take another user's address", async () => {
  const ada = await add("Ada");
  await add("Eve");
  assert.deepEqual(await store.update(ada.id, { email: "ADA@x.org" }), { ...ada, email: "ADA@x.org" });
  assert.equal(await store.update(ada.id, { email: "EVE@x.org" }), "email-taken");
  assert.equal((await store.get(ada.id))?.email, "ADA@x.org");
  assert.equal(await store.update("absent", { name: splitName("x") }), "not-found");
});

test("pages are in the order of creation, and the total counts every match", async () => {
  for (const name of ["a1", "a2", "a3", "b1", "a4"]) await add(name);
  assert.deepEqual(namesOf((await store.list("a", 1, 2)).users), ["a1", "a2"]);
  assert.deepEqual(await store.list("A", 2, 2), {
    users: (await store.list("", 1, 10)).users.filter((_, i) => i === 2 || i === 4),
    total: 4,
  });
  assert.deepEqual(await store.list("a", 3, 2), { users: [], total: 4 });
  assert.equal((await store.list("", 2_147_483_647, 100)).users.length, 0);
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
  test(promise, async () => {
    for (const name of ["ada", "Adam", "Östen", "50%", "c:\\x", "O'Hara"]) await add(name);
    await add("5_", "five@x.org");
    assert.deepEqual(namesOf((await store.list(filter, 1, 100)).users), finds);
    assert.equal((await store.list(filter, 1, 100)).total, finds.length);
    assert.deepEqual((await batchesOf(filter, 100)).flat(), finds);
  });
}

test("batches have the requested size and end with the last match", async () => {
  for (const name of ["a1", "a2", "b1", "a3", "a4", "a5"]) await add(name);
  assert.deepEqual(await batchesOf("a", 2), [["a1", "a2"], ["a3", "a4"], ["a5"]]);
  assert.deepEqual(await batchesOf("a", 5), [["a1", "a2", "a3", "a4", "a5"]]);
  assert.deepEqual(await batchesOf("absent", 2), []);
});

test("batches omit users that were created after the start, or deleted since", async () => {
  const users = [await add("a1"), await add("a2"), await add("a3"), await add("a4")];
  const batches = store.batches("", 2);
  assert.deepEqual(namesOf((await batches.next()).value ?? []), ["a1", "a2"]);
  await add("a5");
  await store.delete(users[2]?.id ?? "");
  assert.deepEqual(namesOf((await batches.next()).value ?? []), ["a4"]);
  assert.equal((await batches.next()).done, true);
});

test("each change is stored, and reported after the commit, but not an update without changes", async () => {
  const told: string[] = [];
  const telling = createUserStore(db, {
    nowMs: () => now,
    async onChange(id) {
      // It is committed by then, so no one is notified of a change that is rolled back.
      told.push(`${(await store.changes.after(0, 100)).at(-1)?.kind} ${(await telling.get(id))?.name}`);
    },
  });
  const created = await telling.create({ name: splitName("Ada"), email: "ada@x.org" });
  assert.ok(typeof created === "object");
  const { id } = created.user;
  await telling.create({ name: splitName("Eve"), email: "ada@x.org" });
  await telling.update(id, {});
  await telling.update("absent", { role: 2 });
  now = 2_000;
  await telling.update(id, { name: splitName("Ada L."), role: 2 });
  await telling.delete(id);
  await telling.delete(id);
  assert.deepEqual(told, ["created Ada", "updated Ada L.", "deleted undefined"]);
  assert.deepEqual(await changes(), ["created  at 1000", "updated name,role at 2000", "deleted  at 2000"]);
});

test("the oldest changes are removed, and the range of the others is known", async () => {
  assert.deepEqual(await store.changes.range(), { last: 0, first: 1 });
  const forgetful = createUserStore(db, { maxKept: 2 });
  for (const name of ["a", "b", "c"]) await forgetful.create({ name: splitName(name), email: `${name}@x.org` });
  assert.deepEqual(await store.changes.range(), { last: 3, first: 2 });
});

test("an id of the caller is kept, and belongs to one user", async () => {
  const ada = { id: "ada-1", name: splitName("Ada"), email: "ada@x.org" };
  const created = await store.create(ada);
  assert.ok(typeof created === "object");
  assert.equal(created.user.id, "ada-1");
  assert.equal(await store.create({ ...ada, email: "other@x.org" }), "id-taken");
});

test("the hash of a password is stored, and not read with the user", async () => {
  const created = await store.create({ name: splitName("Ada"), email: "ada@x.org", passwordHash: "scrypt$…" });
  assert.ok(typeof created === "object");
  const { user } = created;
  const stored = await db.one<{ hash: string }>(sql`SELECT password_hash AS hash FROM users`);
  assert.equal(stored.hash, "scrypt$…");
  assert.ok(!JSON.stringify([user, await store.get(user.id), await store.list("", 1, 1)]).includes("scrypt"));
});

test("a failed creation leaves no user, no change, no event and no order", async () => {
  await add("Ada");
  await store.create({ name: splitName("Eve"), email: "ada@x.org" });
  assert.equal((await store.list("", 1, 10)).total, 1);
  assert.equal((await changes()).length, 1);
});

test("two simultaneous iterations do not affect each other", async () => {
  for (const name of ["a1", "a2", "a3"]) await add(name);
  const one = store.batches("", 1);
  const other = store.batches("", 2);
  const next = async (batches: typeof one) => namesOf((await batches.next()).value ?? []);
  assert.deepEqual(await next(one), ["a1"]);
  assert.deepEqual(await next(other), ["a1", "a2"]);
  assert.deepEqual(await next(one), ["a2"]);
  assert.deepEqual(await next(other), ["a3"]);
});
