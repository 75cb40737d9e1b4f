import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DeferredMessage } from "./deferred-message.ts";
import { MessageQueue } from "./message-queue.ts";

function setUp() {
  const seen = { credit: 0, returned: 0 };
  const queue = new MessageQueue<string>(
    (octets) => {
      seen.credit += octets;
    },
    () => {
      seen.returned++;
    },
  );
  /** As a call does it: octets come, then what they complete. */
  const arrive = (message: string | DeferredMessage<string>, octets: number): void => {
    queue.received(octets);
    queue.push(message, octets);
    queue.settle();
  };
  return { queue, seen, arrive };
}

describe("the message queue", () => {
  it("gives messages in order, whether they or those who wait for them come first", async () => {
    const { queue, arrive } = setUp();
    const early = [queue.next(), queue.next()];
    for (const message of ["a", "b", "c", "d"]) arrive(message, 1);
    queue.end();
    const results = [...(await Promise.all(early)), await queue.next(), await queue.next(), await queue.next()];
    assert.deepEqual(
      results.map((result) => result.value),
      ["a", "b", "c", "d", undefined],
    );
  });

  it("gives credit for a message only when it is taken", async () => {
    const { queue, seen, arrive } = setUp();
    arrive("a", 10);
    arrive("b", 20);
    assert.equal(seen.credit, 0);
    await queue.next();
    assert.equal(seen.credit, 10);
    await queue.next();
    assert.equal(seen.credit, 30);
    const waiting = queue.next();
    arrive("c", 5);
    assert.equal(seen.credit, 35);
    await waiting;
  });

  it("gives credit at once for part of a message when nothing else waits, so that it may be larger than a window", () => {
    const { queue, seen, arrive } = setUp();
    queue.received(100);
    queue.settle();
    assert.equal(seen.credit, 100);
    queue.received(50);
    queue.push("large", 150);
    queue.settle();
    assert.equal(seen.credit, 100, "the rest is owed until the message is taken");
    arrive("next", 7);
    assert.equal(seen.credit, 100);
  });

  it("tells waiting takers of the end, and of a failure once, after what had come before", async () => {
    const ended = setUp();
    const waiting = ended.queue.next();
    ended.queue.end();
    assert.deepEqual(await waiting, { done: true, value: undefined });

    const failed = setUp();
    failed.arrive("a", 1);
    failed.queue.fail(new Error("broken"));
    assert.equal((await failed.queue.next()).value, "a");
    await assert.rejects(failed.queue.next(), /broken/);
    assert.equal((await failed.queue.next()).done, true);

    const both = setUp();
    const takers = [both.queue.next(), both.queue.next()];
    both.queue.fail(new Error("broken"));
    await assert.rejects(takers[0] as Promise<unknown>, /broken/);
    assert.equal((await takers[1])?.done, true);
  });

  it("makes a deferred message when it is taken, and hands on why it could not", async () => {
    const { queue, arrive } = setUp();
    let made = 0;
    const deferred = (make: () => string | Promise<string>) =>
      new DeferredMessage(() => {
        made++;
        return make();
      });
    arrive(
      deferred(() => "now"),
      1,
    );
    arrive(
      deferred(async () => "later"),
      1,
    );
    arrive(
      deferred(() => {
        throw new Error("spoilt");
      }),
      1,
    );
    assert.equal(made, 0);
    assert.equal((await queue.next()).value, "now");
    assert.equal(made, 1);
    assert.equal((await queue.next()).value, "later");
    await assert.rejects(queue.next(), /spoilt/);
    const waiting = queue.next();
    arrive(
      deferred(async () => "for who waits"),
      1,
    );
    assert.equal((await waiting).value, "for who waits");
  });

  it("throws what waits away when the application takes no more, gives the credit back, and tells the call once", async () => {
    const { queue, seen, arrive } = setUp();
    arrive("a", 10);
    arrive("b", 20);
    await queue.return();
    await queue.return();
    assert.deepEqual(seen, { credit: 30, returned: 1 });
    assert.equal((await queue.next()).done, true);
  });

  it("does not tell the call of a return after its end", async () => {
    const { queue, seen } = setUp();
    queue.end();
    await queue.return();
    assert.equal(seen.returned, 0);
  });
});
