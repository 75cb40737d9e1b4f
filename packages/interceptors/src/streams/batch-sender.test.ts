import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { openInMemory } from "../../test/support/open-echo.ts";
import { createBatchSender } from "./index.ts";

describe("batch sender", () => {
  it("sends a batch when it is full or maxDelayMs has passed, not before", async () => {
    const clock = createFakeClock();
    const sender = createBatchSender<number>({ maxItems: 3, maxDelayMs: 100, clock });
    const reader = sender[Symbol.asyncIterator]();
    const batches: unknown[] = [];
    const reading = async (): Promise<void> => {
      for (let batch = await reader.next(); batch.done !== true; batch = await reader.next()) batches.push(batch.value);
    };
    const read = reading();
    for (const item of [1, 2, 3, 4]) await sender.push(item);
    await clock.advance(99);
    assert.deepEqual(batches, [[1, 2, 3]]);
    await clock.advance(1);
    assert.deepEqual(batches, [[1, 2, 3], [4]]);
    await sender.push(5);
    await sender.end();
    await read;
    assert.deepEqual(batches, [[1, 2, 3], [4], [5]]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("applies backpressure to pushes, and loses nothing", async () => {
    const sender = createBatchSender<number>({ maxItems: 2, clock: createFakeClock() });
    const done: number[] = [];
    const pushes = [1, 2, 3, 4].map((item) => sender.push(item).then(() => done.push(item)));
    await assertStatus(sender.push(5), Code.ResourceExhausted, /await push/);
    assert.deepEqual(done, [1, 2]);
    const reader = sender[Symbol.asyncIterator]();
    assert.deepEqual((await reader.next()).value, [1, 2]);
    await Promise.all(pushes);
    assert.deepEqual((await reader.next()).value, [3, 4]);
  });

  it("flushes all items at once, including those that wait for room", async () => {
    const sender = createBatchSender<number>({ maxItems: 2, clock: createFakeClock() });
    const pushes = [1, 2, 3].map((item) => sender.push(item));
    const flushed = sender.flush();
    const reader = sender[Symbol.asyncIterator]();
    assert.deepEqual([(await reader.next()).value, (await reader.next()).value], [[1, 2], [3]]);
    await Promise.all([...pushes, flushed]);
    await sender.flush();
  });

  it("sends the waiting items at the end, and accepts no more", async () => {
    const sender = createBatchSender<number>({ clock: createFakeClock() });
    await sender.push(1);
    const ended = sender.end();
    await assertStatus(sender.push(2), Code.FailedPrecondition);
    assert.deepEqual(await collect(sender), [[1]]);
    await ended;
  });

  it("rejects pushes when the stream has ended, and fails the stream when its source fails", async () => {
    const clock = createFakeClock();
    const left = createBatchSender<number>({ maxItems: 1, clock });
    await left.push(1);
    const waiting = assertStatus(left.push(2), Code.Canceled);
    await left[Symbol.asyncIterator]().return?.();
    await waiting;
    await assertStatus(left.push(3), Code.Canceled);

    const broken = createBatchSender<number>({ clock });
    await broken.push(1);
    const reading = assertStatus(broken, Code.DataLoss);
    broken.fail(new ConnectError("no more", Code.DataLoss));
    await reading;
    assert.equal(clock.pendingTimers, 0);
  });

  it("sends one message for each batch on a client's stream", async (t) => {
    const texts: string[] = [];
    const { client } = await openInMemory(t, {
      async clientStream(requests) {
        for await (const { text } of requests) texts.push(text);
        return {};
      },
    });
    const sender = createBatchSender<number>({ maxItems: 4 });
    const call = client.clientStream(
      (async function* () {
        for await (const batch of sender) yield { text: batch.join() };
      })(),
    );
    for (let item = 0; item < 10; item++) await sender.push(item);
    await sender.end();
    await call;
    assert.deepEqual(texts.join().split(",").map(Number), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(texts.length, 3);
  });

  it("has one reader, and rejects invalid options", () => {
    const sender = createBatchSender();
    sender[Symbol.asyncIterator]();
    assert.throws(() => sender[Symbol.asyncIterator](), /has a reader already/);
    assert.throws(() => createBatchSender({ maxItems: 0 }), /maxItems is 0/);
    assert.throws(() => createBatchSender({ maxDelay: 1 } as object), /did you mean "maxDelayMs"/);
  });
});
