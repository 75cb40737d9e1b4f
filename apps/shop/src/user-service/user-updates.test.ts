import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus, createFakeClock, type FakeClock } from "@tercel/grpc/testing";
import { openDatabase } from "../storage/open-database.ts";
import { splitName } from "./person-name.ts";
import { openUserChanges } from "./user-changes.ts";
import { userMigrations } from "./user-schema.ts";
import { createUserStore, type UserStore } from "./user-store.ts";
import { createUserUpdates, type UserUpdate, type UserUpdates } from "./user-updates.ts";

let database: DatabaseSync;
let store: UserStore;
let updates: UserUpdates;
let leaving: AbortController;
let clock: FakeClock;
beforeEach(() => {
  database = openDatabase(":memory:", userMigrations);
  leaving = new AbortController();
  open();
});
afterEach(() => database.close());

function open(maxKept?: number): void {
  const changes = openUserChanges(database, maxKept);
  clock = createFakeClock();
  updates = createUserUpdates(changes, (id) => store.get(id), clock);
  store = createUserStore(database, { changes, onChange: () => updates.tell() });
}

function add(name: string): string {
  const user = store.create({ name: splitName(name), email: `${name}@x.org` });
  assert.ok(user !== "email-taken");
  return user.id;
}

function follow(after?: number, userIds: string[] = []) {
  return updates.follow({ userIds, after, signal: leaving.signal });
}

const textOf = ({ change, user }: UserUpdate) => `${change.seq} ${change.kind} ${user?.name}`;

async function take(stream: AsyncIterator<UserUpdate>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { done, value } = await stream.next();
    if (done === true) return [...texts, "end"];
    texts.push(textOf(value));
  }
  return texts;
}

test("who follows without a token is told of what comes, and not of what was", async () => {
  add("Ada");
  const stream = follow();
  const first = take(stream, 3);
  const eve = add("Eve");
  store.update(eve, { name: splitName("Eve A.") });
  store.delete(eve);
  assert.deepEqual(await first, ["2 created Eve", "3 updated Eve A.", "4 deleted undefined"]);
  await stream.return();
  assert.equal(updates.followers, 0);
});

test("who resumes is told of what was missed, each once and in order, and then of what comes", async () => {
  for (let nth = 1; nth <= 250; nth++) add(`user${nth}`);
  const stream = follow(20);
  const missed = take(stream, 231);
  // Some of it happens while what was missed is still being read.
  add("late");
  const expected = Array.from({ length: 230 }, (_, at) => `${at + 21} created user${at + 21}`);
  assert.deepEqual(await missed, [...expected, "251 created late"]);
  const next = take(stream, 1);
  add("later");
  assert.deepEqual(await next, ["252 created later"]);
  await stream.return();
});

test("only the wanted users are told of", async () => {
  const ada = add("Ada");
  add("Eve");
  const stream = follow(0, [ada]);
  assert.deepEqual(await take(stream, 1), ["1 created Ada"]);
  const next = take(stream, 1);
  add("Bob");
  store.update(ada, { role: 2 });
  assert.deepEqual(await next, ["4 updated Ada"]);
  await stream.return();
});

test("what was missed of a user who is gone is that it is gone", async () => {
  const ada = add("Ada");
  store.update(ada, { role: 2 });
  store.delete(ada);
  const stream = follow(0);
  assert.deepEqual(await take(stream, 1), ["3 deleted undefined"]);
  await stream.return();
});

test("a change that is no longer known of is OUT_OF_RANGE instead of a gap", async () => {
  open(2);
  for (const name of ["a", "b", "c"]) add(name);
  await assertStatus(follow(0), Code.OutOfRange, /resume_token is too old/);
  await assertStatus(follow(4), Code.OutOfRange);
  const stream = follow(1);
  assert.deepEqual(await take(stream, 2), ["2 created b", "3 created c"]);
  await stream.return();
  assert.equal(updates.followers, 0);
});

test("what another process does is told within a second, in order with what is done here", async () => {
  const elsewhere = createUserStore(database);
  const stream = follow();
  const first = take(stream, 1);
  elsewhere.create({ name: splitName("Eve"), email: "eve@x.org" });
  await clock.advance(1_000);
  assert.deepEqual(await first, ["1 created Eve"]);
  elsewhere.create({ name: splitName("Bob"), email: "bob@x.org" });
  add("Ada");
  assert.deepEqual(await take(stream, 2), ["2 created Bob", "3 created Ada"]);
  await stream.return();
  // No one follows, so no one looks any more.
  await clock.advance(1_000);
  assert.equal(clock.pendingTimers, 0);
});

test("a stream ends when its reader leaves", async () => {
  const stream = follow();
  const waiting = take(stream, 1);
  leaving.abort();
  assert.deepEqual(await waiting, ["end"]);
  assert.equal(updates.followers, 0);
});

test("a reader who is a thousand changes behind is cut off and can resume", async () => {
  const stream = follow();
  const first = take(stream, 1);
  for (let nth = 1; nth <= 1_002; nth++) add(`user${nth}`);
  assert.deepEqual(await first, ["1 created user1"]);
  await assertStatus(stream, Code.ResourceExhausted, /too slow/);
  const again = follow(1);
  assert.deepEqual(await take(again, 1), ["2 created user2"]);
  await again.return();
});

test("a stop ends all streams with UNAVAILABLE, so that they go on elsewhere", async () => {
  const stream = follow();
  const waiting = assertStatus(stream, Code.Unavailable, "the server is shutting down");
  updates.close();
  await waiting;
});
