import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallQueue, WaitingCall } from "./call-queue.ts";

function openQueue() {
  const queue = new CallQueue({ maxWaitMs: 1000, overloadedWaitMs: 100 });
  const push = (sinceMs: number): WaitingCall => {
    const call = new WaitingCall(
      sinceMs,
      () => {},
      () => {},
    );
    queue.push(call);
    return call;
  };
  const taken = (nowMs: number) => queue.take(nowMs)?.sinceMs;
  const expired = (nowMs: number) => queue.takeExpired(nowMs).map(({ sinceMs }) => sinceMs);
  return { queue, push, taken, expired };
}

describe("a queue of calls", () => {
  it("is FIFO by default", () => {
    const { push, taken } = openQueue();
    for (const ms of [1, 2, 3]) push(ms);
    assert.deepEqual([taken(3), taken(3), taken(3), taken(3)], [1, 2, 3, undefined]);
  });

  it("becomes LIFO when no call was served quickly for maxWaitMs, and FIFO again when it was empty", () => {
    const { queue, push, taken } = openQueue();
    for (const ms of [0, 1, 900]) push(ms);
    assert.equal(taken(100), 0);
    assert.equal(taken(999), 1);
    for (const ms of [950, 960]) push(ms);
    assert.equal(taken(1000), 960);
    assert.equal(queue.isOverloaded, true);
    for (const _call of [1, 2]) taken(1000);
    assert.deepEqual([queue.length, queue.isOverloaded], [0, false]);
    for (const ms of [1001, 1002]) push(ms);
    assert.equal(taken(1002), 1001);
  });

  it("stays FIFO while some calls are served quickly, however long it is not empty", () => {
    const { queue, push, taken } = openQueue();
    push(0);
    for (let nowMs = 99; nowMs < 10_000; nowMs += 99) {
      push(nowMs);
      assert.equal(taken(nowMs), nowMs - 99);
    }
    assert.equal(queue.isOverloaded, false);
  });

  it("is FIFO again as soon as the rate is enough for the waiting calls", () => {
    const { queue, push, taken } = openQueue();
    for (const ms of [0, 950, 960, 970]) push(ms);
    assert.equal(taken(1000), 970);
    queue.reconsider(3 / 51, 1000);
    assert.equal(queue.isOverloaded, true);
    queue.reconsider(3 / 49, 1000);
    assert.equal(queue.isOverloaded, false);
    assert.equal(taken(1001), 0);
  });

  it("expires calls that have waited too long, and sooner while it is overloaded", () => {
    const { queue, push, expired } = openQueue();
    push(0);
    for (const ms of [600, 899, 901]) push(ms);
    assert.equal(queue.nextExpiryMs, 1000);
    assert.deepEqual(expired(999), []);
    assert.deepEqual(expired(1000), [0, 600, 899]);
    assert.equal(queue.nextExpiryMs, 1001);
    assert.deepEqual(expired(1000.9), []);
    assert.deepEqual(expired(1001), [901]);
    assert.equal(queue.nextExpiryMs, Number.POSITIVE_INFINITY);
  });

  it("drops its oldest call for a new one only while it is overloaded", () => {
    const { queue, push } = openQueue();
    for (const ms of [0, 950]) push(ms);
    assert.equal(queue.takeOutdated(999), undefined);
    assert.equal(queue.takeOutdated(1000)?.sinceMs, 0);
  });

  it("removes calls at any position", () => {
    const { queue, push, taken } = openQueue();
    const [first, second, third, last] = [1, 2, 3, 4].map(push);
    for (const call of [second, first, last]) {
      if (call !== undefined) {
        queue.remove(call);
        queue.remove(call);
      }
    }
    assert.equal(queue.length, 1);
    assert.equal(taken(5), third?.sinceMs);
    assert.equal(queue.length, 0);
  });
});
