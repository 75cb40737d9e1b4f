import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, createOccasion } from "@tercel/test-support/async";
import { openInMemory } from "../../test/support/open-echo.ts";
import { type BroadcasterOptions, createBroadcaster } from "./index.ts";

const signal = new AbortController().signal;

function published(options: BroadcasterOptions, count: number) {
  const broadcaster = createBroadcaster<number>(options);
  const subscriber = broadcaster.subscribe({ signal });
  for (let message = 1; message <= count; message++) broadcaster.publish(message);
  return { broadcaster, subscriber };
}

describe("broadcaster", () => {
  it("sends every subscriber the messages published after its subscription", async () => {
    const broadcaster = createBroadcaster<number>({ whenSlow: "disconnect" });
    const early = collect(broadcaster.subscribe({ signal }));
    broadcaster.publish(1);
    const late = collect(broadcaster.subscribe({ signal }));
    broadcaster.publish(2);
    broadcaster.close();
    assert.deepEqual(await Promise.all([early, late]), [[1, 2], [2]]);
    assert.deepEqual(await collect(broadcaster.subscribe({ signal })), []);
  });

  for (const [whenSlow, expected] of [
    ["drop-oldest", [2, 3, 4]],
    ["drop-newest", [1, 2, 3]],
  ] as const) {
    it(`buffers a limited number of messages (${whenSlow}), and counts the dropped ones`, async () => {
      const { broadcaster, subscriber } = published({ whenSlow, maxBuffered: 3 }, 4);
      assert.equal(broadcaster.dropped, 1);
      broadcaster.close();
      assert.deepEqual(await collect(subscriber), expected);
    });
  }

  it("disconnects only the subscriber whose buffer is full", async () => {
    const full = published({ whenSlow: "disconnect", maxBuffered: 3 }, 3);
    full.broadcaster.close();
    assert.deepEqual(await collect(full.subscriber), [1, 2, 3]);

    const { broadcaster, subscriber } = published({ whenSlow: "disconnect", maxBuffered: 3 }, 2);
    const quick = broadcaster.subscribe({ signal });
    for (const message of [3, 4]) {
      broadcaster.publish(message);
      assert.equal((await quick.next()).value, message);
    }
    await assertStatus(subscriber, Code.ResourceExhausted, /too slow: its buffer of 3 messages is full/);
    assert.deepEqual([broadcaster.subscribers, broadcaster.dropped], [1, 4]);
    assert.equal((await subscriber.next()).done, true);
  });

  it("removes subscribers whose signal aborts or who leave the loop", async () => {
    const broadcaster = createBroadcaster<number>({ whenSlow: "drop-oldest" });
    const leave = new AbortController();
    const reading = collect(broadcaster.subscribe({ signal: leave.signal }));
    const left = broadcaster.subscribe({ signal });
    assert.equal(broadcaster.subscribers, 2);
    leave.abort();
    assert.deepEqual(await reading, []);
    await left.return?.();
    assert.equal(broadcaster.subscribers, 0);
    assert.deepEqual(await collect(broadcaster.subscribe({ signal: leave.signal })), []);
  });

  it("rejects a subscriber over the limit", async () => {
    const broadcaster = createBroadcaster<number>({ whenSlow: "drop-oldest", maxSubscribers: 1 });
    broadcaster.subscribe({ signal });
    await assertStatus(broadcaster.subscribe({ signal }), Code.ResourceExhausted, /subscriber limit reached: 1/);
  });

  it("closes with an error after the buffered messages", async () => {
    const { broadcaster, subscriber } = published({ whenSlow: "drop-oldest" }, 1);
    broadcaster.close(new ConnectError("going down", Code.Unavailable));
    assert.equal((await subscriber.next()).value, 1);
    await assertStatus(subscriber, Code.Unavailable, "going down");
  });

  it("feeds the streams of a server, and removes those whose clients disconnect", async (t) => {
    const broadcaster = createBroadcaster<{ count: number }>({ whenSlow: "disconnect" });
    const subscribed = createOccasion();
    const gone = createOccasion();
    const { client } = await openInMemory(t, {
      async *serverStream(_request, context) {
        const messages = broadcaster.subscribe({ signal: context.signal });
        subscribed.happen();
        yield* messages;
        gone.happen();
      },
    });
    const cancel = new AbortController();
    const stream = client.serverStream({}, { signal: cancel.signal })[Symbol.asyncIterator]();
    const first = stream.next();
    await subscribed.happened;
    broadcaster.publish({ count: 7 });
    assert.equal((await first).value?.count, 7);
    cancel.abort();
    await assertStatus(stream.next(), Code.Canceled);
    await gone.happened;
    assert.equal(broadcaster.subscribers, 0);
  });

  it("rejects invalid options", () => {
    assert.throws(
      () => createBroadcaster({} as BroadcasterOptions),
      /whenSlow is missing; expected one of drop-oldest/,
    );
    assert.throws(() => createBroadcaster({ whenSlow: "drop-oldest", maxBuffered: 0 }), /maxBuffered is 0/);
  });
});
