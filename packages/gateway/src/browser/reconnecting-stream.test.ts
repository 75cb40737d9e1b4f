import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createReconnectingStream, type ReconnectingStreamOptions } from "./reconnecting-stream.ts";

const broken = () => new ConnectError("broken off", Code.Unavailable);

/** Each call of `open` yields the next one of these: messages, and an error if it is last. */
function scripted(...streams: readonly (readonly (number | Error)[])[]) {
  const tokens: (number | undefined)[] = [];
  async function* open(token: number | undefined): AsyncIterable<number> {
    tokens.push(token);
    for (const one of streams[tokens.length - 1] ?? []) {
      if (one instanceof Error) throw one;
      yield one;
    }
  }
  const options: ReconnectingStreamOptions<number, number> = { open, tokenOf: (message) => message, backoff: () => 0 };
  return { tokens, options };
}

async function collect(stream: AsyncIterable<number>): Promise<number[]> {
  const messages: number[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** A network that the test switches on and off. */
function createNetwork() {
  const waiting: (() => void)[] = [];
  const listeners = new Set<() => void>();
  const network = {
    isOnline: true,
    listeners,
    onOffline: (listener: () => void, signal: AbortSignal) => {
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener));
    },
    goAway() {
      network.isOnline = false;
      for (const listener of listeners) listener();
    },
    asked: 0,
    whenOnline: (signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        network.asked++;
        waiting.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    comeBack() {
      network.isOnline = true;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
  return network;
}

/** Resolves when something waits for the network. */
async function untilAsked(network: { readonly asked: number }): Promise<void> {
  while (network.asked === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe("a reconnecting stream in a browser", () => {
  it("continues after the last message", async () => {
    const { options, tokens } = scripted([1, 2, broken()], [broken()], [3]);
    assert.deepEqual(await collect(createReconnectingStream(options)), [1, 2, 3]);
    assert.deepEqual(tokens, [undefined, 2, 2]);
  });

  it("waits while the browser is offline", async () => {
    const { options, tokens } = scripted([1, broken()], [2]);
    const network = createNetwork();
    const reading = collect(
      createReconnectingStream({
        ...options,
        network,
        onReconnect: () => void Object.assign(network, { isOnline: false }),
      }),
    );
    await untilAsked(network);
    assert.equal(tokens.length, 1);
    network.comeBack();
    assert.deepEqual(await reading, [1, 2]);
  });

  it("abandons a stream when the browser goes offline, and continues after its last message", async () => {
    const network = createNetwork();
    const tokens: (number | undefined)[] = [];
    const reconnects: (Code | undefined)[] = [];
    const stream = createReconnectingStream<number, number>({
      async *open(token, signal) {
        tokens.push(token);
        yield tokens.length;
        if (tokens.length === 2) return;
        // Like a dead connection without a close.
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      tokenOf: (message) => message,
      ...{ network, backoff: () => 0, onReconnect: ({ error }) => void reconnects.push(error?.code) },
    });
    const messages: number[] = [];
    for await (const message of stream) {
      messages.push(message);
      if (message !== 1) continue;
      setImmediate(() => network.goAway());
      void untilAsked(network).then(() => {
        assert.deepEqual(tokens, [undefined]);
        network.comeBack();
      });
    }
    assert.deepEqual([messages, tokens, reconnects], [[1, 2], [undefined, 1], [Code.Unavailable]]);
    assert.equal(network.listeners.size, 0);
  });

  it("ends when its signal is aborted, also between attempts and offline", async () => {
    for (const isOnline of [true, false]) {
      const { options } = scripted([broken()], [1]);
      const abort = new AbortController();
      const network = { ...createNetwork(), isOnline };
      const stream = createReconnectingStream({
        ...{ ...options, network, backoff: () => 60_000, signal: abort.signal },
        onReconnect: () => setImmediate(() => abort.abort()),
      });
      await assert.rejects(collect(stream), (error: ConnectError) => error.code === Code.Canceled);
    }
  });

  it("does not retry an error that a retry cannot fix", async () => {
    const { options, tokens } = scripted([new ConnectError("no", Code.PermissionDenied)], [1]);
    await assert.rejects(collect(createReconnectingStream(options)), /no/);
    assert.equal(tokens.length, 1);
  });

  it("rejects invalid options", () => {
    const { options } = scripted();
    assert.throws(() => createReconnectingStream({ ...options, maxFailures: 0 }), /maxFailures is 0/);
    assert.throws(
      () => createReconnectingStream({ ...options, clock: {} } as unknown as typeof options),
      /unknown option "clock"/,
    );
  });
});
