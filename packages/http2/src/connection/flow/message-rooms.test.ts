import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../testing/fake-clock.ts";
import { MessageRooms } from "./message-rooms.ts";
import { SharedUnfinished, UnfinishedMessages } from "./unfinished-messages.ts";

const owner = { tighten() {}, relax() {}, stalled() {} };

/** The rooms of a connection that holds up to 100 bytes, and what has got its room, in order. */
function open(shared = new SharedUnfinished(1000), clock = new FakeClock()) {
  const budget = new UnfinishedMessages(100, shared, owner, clock);
  const rooms = new MessageRooms(budget, shared, clock);
  const granted: string[] = [];
  const user = (name: string) => {
    const stream = { isReleased: false, id: 1, loan: undefined, consume: () => granted.push(`${name} credit`) };
    return {
      stream,
      take(bytes: number): void {
        const wait = rooms.take(stream, bytes);
        if (wait === undefined) granted.push(name);
        else wait.then(() => granted.push(name));
      },
      keep: (bytes: number) => rooms.keep(stream, bytes),
      leave: () => rooms.leave(stream),
      release() {
        stream.isReleased = true;
        rooms.release(stream);
      },
    };
  };
  const got = async (): Promise<string[]> => {
    await Promise.resolve();
    return granted.splice(0);
  };
  return { budget, rooms, clock, user, got };
}

test("gives room at once up to the budget, and then in the order in which it was asked for", async () => {
  const { user, got } = open();
  const [a, b, c, d] = [user("a"), user("b"), user("c"), user("d")];
  a.take(60);
  b.take(40);
  c.take(50);
  // It would fit sooner, and would leave the large one waiting for ever.
  d.take(10);
  assert.deepEqual(await got(), ["a", "b"]);
  b.release();
  b.keep(40);
  assert.deepEqual(await got(), []);
  a.keep(60);
  a.release();
  assert.deepEqual(await got(), ["c", "d"]);
});

test("has room for one message however large it is, and for what a message leaves of it", async () => {
  const { user, got } = open();
  const [a, b] = [user("a"), user("b")];
  a.take(500);
  b.take(80);
  assert.deepEqual(await got(), ["a"]);
  a.keep(20);
  assert.deepEqual(await got(), ["b"]);
});

test("leaves a stream its room for the next message, which overtakes those that wait", async () => {
  const { user, got } = open();
  const [a, b] = [user("a"), user("b")];
  a.take(100);
  a.keep(100);
  b.take(100);
  a.take(100);
  assert.deepEqual(await got(), ["a", "a"]);
  a.keep(0);
  assert.deepEqual(await got(), ["b"]);
});

test("takes room from those that have had it for a second, if others wait and its message is made", async () => {
  const { user, got, rooms, clock } = open();
  const [a, b] = [user("a"), user("b")];
  a.take(100);
  rooms.enforce(clock.nowMs() + 5000);
  b.take(100);
  rooms.enforce(clock.nowMs() + 5000);
  assert.deepEqual(await got(), ["a"]);
  a.keep(100);
  rooms.enforce(clock.nowMs() + 999);
  assert.deepEqual(await got(), []);
  rooms.enforce(clock.nowMs() + 1000);
  assert.deepEqual(await got(), ["b"]);
  // It has none any more, and waits for its next message like others.
  a.take(100);
  assert.deepEqual(await got(), []);
});

test("lets calls that were cut off wait no longer, without room", async () => {
  const { user, got } = open();
  const [a, b, c] = [user("a"), user("b"), user("c")];
  a.take(60);
  b.take(50);
  c.take(40);
  assert.deepEqual(await got(), ["a"]);
  b.leave();
  assert.deepEqual(await got(), ["b", "c"]);
});

test("shares the budget with unfinished messages", async () => {
  const { user, got, budget } = open();
  const [a, b, c] = [user("a"), user("b"), user("c")];
  a.take(40);
  budget.lend(b.stream, 60);
  c.take(30);
  assert.deepEqual(await got(), ["a", "b credit"]);
  budget.repay(b.stream.loan as never, 60);
  assert.deepEqual(await got(), ["c"]);
});

test("shares the budget of a server with other connections, of which each may have one message", async () => {
  const shared = new SharedUnfinished(100);
  const [one, other] = [open(shared), open(shared)];
  const [a, b, c] = [one.user("a"), other.user("b"), other.user("c")];
  a.take(100);
  b.take(100);
  c.take(10);
  assert.deepEqual([await one.got(), await other.got()], [["a"], ["b"]]);
  one.rooms.end();
  assert.deepEqual(await other.got(), []);
  b.release();
  b.keep(100);
  assert.deepEqual(await other.got(), ["c"]);
});

test("lets all that wait continue when the connection is gone", async () => {
  const { user, got, rooms } = open();
  const [a, b] = [user("a"), user("b")];
  a.take(100);
  b.take(100);
  rooms.end();
  assert.deepEqual(await got(), ["a", "b"]);
  a.take(1000);
  assert.deepEqual(await got(), ["a"]);
});
