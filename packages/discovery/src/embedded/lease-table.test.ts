import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createFakeClock } from "@tercel/grpc/testing";
import { createInstance } from "../port/instance.ts";
import { LeaseTable } from "./lease-table.ts";
import { PendingChanges } from "./pending-changes.ts";

function setUp(maxInstances = 10) {
  const clock = createFakeClock();
  const expired: string[] = [];
  const table = new LeaseTable({ clock, maxInstances, onExpired: ({ id }) => expired.push(id) });
  return { clock, expired, table };
}

const instance = (id: string, port = 1, name = "orders") => createInstance({ id, name, address: "10.0.0.1", port });
const codeIs = (code: Code) => (error: unknown) => ConnectError.from(error).code === code;
const idsIn = (table: LeaseTable) => table.page("orders", "", 100).instances.map(({ id }) => id);

test("an instance is removed exactly when its lease expires", async () => {
  const { clock, expired, table } = setUp();
  table.register(instance("a"), 1000, "");
  await clock.advance(999);
  assert.deepEqual(idsIn(table), ["a"]);
  await clock.advance(1);
  assert.deepEqual(idsIn(table), []);
  assert.deepEqual(expired, ["a"]);
  assert.equal(clock.pendingTimers, 0);
});

test("a renewal restarts the lease", async () => {
  const { clock, table } = setUp();
  const lease = table.register(instance("a"), 1000, "");
  await clock.advance(900);
  table.renew("a", lease);
  await clock.advance(999);
  assert.deepEqual(idsIn(table), ["a"]);
  await clock.advance(200);
  assert.deepEqual(idsIn(table), []);
  assert.throws(() => table.renew("a", lease), codeIs(Code.NotFound));
});

test("a shorter lease that starts later expires first", async () => {
  const { clock, expired, table } = setUp();
  table.register(instance("long"), 10_000, "");
  table.register(instance("short"), 1000, "");
  await clock.advance(1000);
  assert.deepEqual(expired, ["short"]);
});

test("no instance is removed because the registry's process was suspended", () => {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const clock = {
    nowMs: () => nowMs,
    after(_: number, run: () => void) {
      due.push(run);
      return () => {};
    },
  };
  const table = new LeaseTable({ clock, maxInstances: 10, onExpired: () => assert.fail("expired") });
  table.register(instance("a"), 1000, "");
  nowMs = 60_000;
  due.shift()?.();
  assert.deepEqual(idsIn(table), ["a"]);
});

test("only the holder of the lease can renew, replace and remove an instance", () => {
  const { table } = setUp();
  const lease = table.register(instance("a"), 1000, "");
  assert.throws(() => table.renew("a", "guess"), codeIs(Code.NotFound));
  assert.throws(() => table.register(instance("a", 2), 1000, "guess"), codeIs(Code.AlreadyExists));
  table.deregister("a", "guess");
  assert.deepEqual(idsIn(table), ["a"]);
  assert.equal(table.register(instance("a", 2), 1000, lease), lease);
  table.deregister("a", lease);
  assert.deepEqual(idsIn(table), []);
});

test("a restarted process at the same address replaces the old one at once", () => {
  const { table } = setUp();
  const old = table.register(instance("a"), 1000, "");
  const young = table.register(instance("a"), 1000, "");
  assert.notEqual(young, old);
  assert.throws(() => table.renew("a", old), codeIs(Code.NotFound));
  table.deregister("a", old);
  assert.deepEqual(idsIn(table), ["a"]);
});

test("accepts as many instances as allowed, and rejects one more", () => {
  const { table } = setUp(2);
  table.register(instance("a"), 1000, "");
  const lease = table.register(instance("b"), 1000, "");
  assert.throws(() => table.register(instance("c"), 1000, ""), codeIs(Code.ResourceExhausted));
  table.register(instance("b", 3), 1000, lease);
});

test("an instance that changes its service is removed from the old one", () => {
  const { table } = setUp();
  const lease = table.register(instance("a"), 1000, "");
  table.register(instance("a", 1, "payments"), 1000, lease);
  assert.deepEqual(idsIn(table), []);
  assert.deepEqual(table.names, ["payments"]);
});

test("pages have neither gaps nor duplicates", () => {
  const { table } = setUp();
  for (const id of ["c", "a", "e", "b", "d"]) table.register(instance(id), 1000, "");
  const first = table.page("orders", "", 2);
  const second = table.page("orders", first.nextToken, 2);
  const third = table.page("orders", second.nextToken, 2);
  const pages = [first, second, third].map(({ instances }) => instances.map(({ id }) => id).join(""));
  assert.deepEqual(pages, ["ab", "cd", "e"]);
  assert.equal(third.nextToken, "");
});

test("a watcher receives only the last of several changes to one instance", () => {
  const { table } = setUp();
  const pending = new PendingChanges();
  const lease = table.register(instance("a"), 1000, "");
  table.watch("orders", pending);
  assert.deepEqual(
    pending.take(10).put.map(({ id }) => id),
    ["a"],
  );
  table.register(instance("a", 2), 1000, lease);
  table.register(instance("a", 3), 1000, lease);
  table.register(instance("b"), 1000, "");
  const { put, removedIds, continues } = pending.take(1);
  assert.deepEqual([put.map(({ port }) => port), removedIds, continues], [[3], [], true]);
  table.deregister("a", lease);
  const rest = pending.take(10);
  assert.deepEqual([rest.put.map(({ id }) => id), rest.removedIds, rest.continues], [["b"], ["a"], false]);
  table.unwatch("orders", pending);
  table.register(instance("c"), 1000, "");
  assert.equal(pending.isEmpty, true);
});
