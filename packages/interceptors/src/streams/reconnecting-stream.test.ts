import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createBackoff } from "@tercel/grpc";
import { unavailable } from "@tercel/grpc/errors";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { createReconnectingStream, type Reconnect, type ReconnectingStreamOptions } from "./index.ts";

const atOnce = createBackoff({ initialDelayMs: 0 });
const broken = () => new ConnectError("broken off", Code.Unavailable);

/** The results of successive opens: messages, and possibly an error at the end. */
function scripted(...streams: readonly (readonly (number | Error)[])[]) {
  const tokens: (number | undefined)[] = [];
  async function* open(token: number | undefined): AsyncIterable<number> {
    tokens.push(token);
    for (const one of streams[tokens.length - 1] ?? []) {
      if (one instanceof Error) throw one;
      yield one;
    }
  }
  const options: ReconnectingStreamOptions<number, number> = { open, tokenOf: (message) => message, backoff: atOnce };
  return { tokens, options };
}

describe("reconnecting stream", () => {
  overBothTransports((open) => {
    it("continues after the last message when the server breaks the stream", async (t) => {
      const { client } = await open(t, {
        async *serverStream({ count }) {
          for (let at = count + 1; at <= 7; at++) {
            yield { count: at };
            if (at % 3 === 0) throw broken();
          }
        },
      });
      const stream = createReconnectingStream({
        open: (count: number | undefined, signal) => client.serverStream({ count: count ?? 0 }, { signal }),
        tokenOf: ({ count }) => count,
        backoff: atOnce,
      });
      assert.deepEqual(
        (await collect(stream)).map(({ count }) => count),
        [1, 2, 3, 4, 5, 6, 7],
      );
    });
  });

  it("starts at its token, and keeps the token of earlier messages", async () => {
    const { options, tokens } = scripted([1, 2, broken()], []);
    const stream = createReconnectingStream({
      ...options,
      token: 40,
      tokenOf: (message) => (message === 2 ? undefined : message),
    });
    assert.deepEqual(await collect(stream), [1, 2]);
    assert.deepEqual(tokens, [40, 1]);
  });

  it("waits longer after each failure, at least the server's delay, and resets after a message", async () => {
    const clock = createFakeClock();
    const { options } = scripted([broken()], [broken()], [unavailable({ retryAfterMs: 5000 })], [1, broken()], [2]);
    const seen: Reconnect<number>[] = [];
    const stream = createReconnectingStream({
      ...options,
      clock,
      backoff: createBackoff({ initialDelayMs: 100, multiplier: 2, jitter: 0 }),
      onReconnect: (reconnect) => seen.push(reconnect),
    });
    const reading = collect(stream);
    // Waits until the first stream has failed.
    await clock.advance(0);
    await clock.advance(5399);
    assert.equal(seen.length, 4);
    await clock.advance(1);
    assert.deepEqual(await reading, [1, 2]);
    assert.deepEqual(
      seen.map(({ failures, delayMs, token }) => [failures, delayMs, token]),
      [
        [1, 100, undefined],
        [2, 200, undefined],
        [3, 5000, undefined],
        [0, 100, 1],
      ],
    );
  });

  it("gives up at definite codes, and at errors of the application", async () => {
    const denied = scripted([1, new ConnectError("not you", Code.PermissionDenied)], [2]);
    await assertStatus(createReconnectingStream(denied.options), Code.PermissionDenied);
    assert.equal(denied.tokens.length, 1);
    const mistaken = scripted([new TypeError("a mistake")], [2]);
    await assert.rejects(collect(createReconnectingStream(mistaken.options)), TypeError);
    const told = scripted([broken()], [2]);
    await assertStatus(
      createReconnectingStream({ ...told.options, definiteCodes: [Code.Unavailable] }),
      Code.Unavailable,
    );
  });

  it("gives up after maxFailures successive failures", async () => {
    const { options, tokens } = scripted([broken()], [1, broken()], [broken()], [broken()], [2]);
    await assertStatus(createReconnectingStream({ ...options, maxFailures: 2 }), Code.Unavailable, "broken off");
    assert.equal(tokens.length, 4);
  });

  it("ends when the server ends the stream, unless reconnectOnEnd is on", async () => {
    const once = scripted([1], [2]);
    assert.deepEqual(await collect(createReconnectingStream(once.options)), [1]);
    const on = scripted([1], [2], [new ConnectError("enough", Code.OutOfRange)]);
    const read: number[] = [];
    await assert.rejects(async () => {
      for await (const message of createReconnectingStream({ ...on.options, reconnectOnEnd: true })) read.push(message);
    }, /enough/);
    assert.deepEqual(read, [1, 2]);
  });

  it("ends when its signal aborts, also during a delay", async () => {
    const clock = createFakeClock();
    const cancel = new AbortController();
    const { options } = scripted([broken()], [1]);
    const stream = createReconnectingStream({
      ...options,
      clock,
      backoff: createBackoff({ initialDelayMs: 1000 }),
      signal: cancel.signal,
      onReconnect: () => setImmediate(() => cancel.abort()),
    });
    await assertStatus(stream, Code.Canceled);
    assert.equal(clock.pendingTimers, 0);
  });

  it("cancels the call when the reader leaves", async (t) => {
    let left: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const { client } = await openInMemory(t, {
      async *serverStream(_request, context) {
        context.signal.addEventListener("abort", () => left?.());
        yield { count: 1 };
        await gone;
      },
    });
    const stream = createReconnectingStream({
      open: (_token: number | undefined, signal) => client.serverStream({}, { signal }),
      tokenOf: ({ count }) => count,
    });
    for await (const _message of stream) break;
    await gone;
  });

  it("rejects invalid options", () => {
    const { options } = scripted();
    assert.throws(() => createReconnectingStream({ ...options, maxFailures: 0 }), /maxFailures is 0/);
    assert.throws(
      () => createReconnectingStream({ ...options, maxFailure: 1 } as typeof options),
      /did you mean "maxFailures"/,
    );
  });
});
