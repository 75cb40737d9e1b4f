// Compressed messages become much larger than what came for them: what is held of them has a budget, and more is inflated when there is room.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import type { Compression } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { settled } from "@tercel/test-support/async";
import { type EchoHandlers, overBothTransports } from "./support/open-echo.ts";

const mebibyte = 1_048_576;
const payload = new Uint8Array(mebibyte / 4 - 16);
/** Four such messages are held at most. Clocks are fake: after a second more would be inflated. */
const limits = { unfinishedMessages: { maxBytes: mebibyte } };
const mostHeld = 4;
const calls = 20;

/** Zero bytes at the end of each message, which are left out on the way. */
const savedBytes = payload.length - 64;

/** Leaves the zeros out, and counts those whose turn it was to be inflated. */
function countingCompression(): { readonly compression: Compression; readonly counts: { begun: number } } {
  const counts = { begun: 0 };
  const compression: Compression = {
    name: "gzip",
    compress: (bytes) => new Uint8Array(bytes.subarray(0, -savedBytes)),
    async decompress(bytes, _maxBytes, call) {
      await call?.takeRoom(bytes.length + savedBytes);
      if (call?.isCutOff === true) throw new Error("the call was cut off");
      counts.begun++;
      const whole = new Uint8Array(bytes.length + savedBytes);
      whole.set(bytes);
      return whole;
    },
  };
  return { compression, counts };
}

/** Handlers that hold their message until they are released. */
function holdingHandlers() {
  const held: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => held.push(resolve));
  const handlers: EchoHandlers = {
    async unary(request) {
      await hold();
      return { count: request.payload.length };
    },
    async clientStream(requests) {
      let count = 0;
      for await (const request of requests) {
        count += request.payload.length;
        await hold();
      }
      return { count };
    },
  };
  return { held, handlers };
}

async function* requests(count: number) {
  for (let at = 0; at < count; at++) yield { payload };
}

describe("a server whose handlers hold inflated messages", () => {
  overBothTransports((open) => {
    for (const kind of ["unary calls", "streams"] as const) {
      it(`inflates no more for ${kind} than the budget, and the others as handlers end`, async (t) => {
        const { held, handlers } = holdingHandlers();
        const { compression, counts } = countingCompression();
        const { client } = await open(t, handlers, {
          server: { clock: createFakeClock(), limits, compressions: [compression] },
          channel: { sendCompression: compression },
        });
        const perCall = kind === "streams" ? 3 : 1;
        const results = Array.from({ length: calls }, async () =>
          kind === "streams" ? client.clientStream(requests(perCall)) : client.unary({ payload }),
        );
        for (let done = 0; done < calls * perCall; done++) {
          await settled(() => held.length, 1);
          assert.ok(held.length <= mostHeld, `${held.length} messages are held`);
          assert.ok(counts.begun <= done + mostHeld, `${counts.begun} were inflated when ${done} were released`);
          held.shift()?.();
        }
        for (const { count } of await Promise.all(results)) assert.equal(count, perCall * payload.length);
      });
    }

    it("inflates the others although handlers hold theirs for ever, four a second", async (t) => {
      const clock = createFakeClock();
      const { held, handlers } = holdingHandlers();
      const { compression, counts } = countingCompression();
      const { client } = await open(t, handlers, {
        server: { clock, limits, compressions: [compression] },
        channel: { sendCompression: compression },
      });
      const results = Array.from({ length: 9 }, () => client.unary({ payload }));
      const begun: number[] = [];
      for (let second = 0; second < 8; second++) {
        begun.push(await settled(() => counts.begun, 4));
        await clock.advance(1000);
      }
      assert.equal(begun[0], 4);
      assert.equal(begun.at(-1), 9);
      for (let at = 1; at < begun.length; at++)
        assert.ok((begun[at] as number) - (begun[at - 1] as number) <= mostHeld);
      for (const release of held) release();
      await Promise.all(results);
    });

    it("inflates nothing for a call that was cut off while it waited, and the next one instead", async (t) => {
      const { held, handlers } = holdingHandlers();
      const { compression, counts } = countingCompression();
      const { client } = await open(t, handlers, {
        server: { clock: createFakeClock(), limits, compressions: [compression] },
        channel: { sendCompression: compression },
      });
      const first = Array.from({ length: mostHeld }, () => client.unary({ payload }));
      await settled(() => held.length, mostHeld);
      const controller = new AbortController();
      const waiting = client.unary({ payload }, { signal: controller.signal });
      waiting.catch(() => {});
      await settled(() => counts.begun);
      const last = client.unary({ payload });
      await settled(() => counts.begun);
      controller.abort();
      await assertStatus(waiting, Code.Canceled);
      assert.equal(await settled(() => counts.begun), mostHeld);
      held.shift()?.();
      assert.equal(await settled(() => held.length, mostHeld), mostHeld);
      assert.equal(counts.begun, mostHeld + 1);
      for (const release of held) release();
      await Promise.all([...first, last]);
    });
  });
});

describe("a client whose reader holds inflated messages", () => {
  overBothTransports((open) => {
    it("inflates no more than the budget, and the others as calls are cancelled", async (t) => {
      const { compression, counts } = countingCompression();
      const { client } = await open(
        t,
        {
          async *serverStream(_request, context) {
            yield* requests(3);
            await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
          },
        },
        {
          server: { compressions: [compression] },
          channel: { clock: createFakeClock(), limits, acceptCompressions: [compression] },
        },
      );
      const reading: AbortController[] = [];
      for (let at = 0; at < calls; at++) {
        const controller = new AbortController();
        const responses = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
        responses.next().then(({ value }) => {
          assert.equal(value?.payload.length, payload.length);
          reading.push(controller);
        });
      }
      for (let cancelled = 0; cancelled < calls; cancelled++) {
        await settled(() => reading.length, 1);
        assert.ok(
          counts.begun <= cancelled + mostHeld,
          `${counts.begun} were inflated when ${cancelled} were cancelled`,
        );
        reading.shift()?.abort();
      }
    });

    it("gets all messages of streams that are read side by side", async (t) => {
      const clock = createFakeClock();
      const { compression } = countingCompression();
      const { client } = await open(
        t,
        { serverStream: () => requests(3) },
        { server: { compressions: [compression] }, channel: { clock, limits, acceptCompressions: [compression] } },
      );
      const streams = Array.from({ length: calls }, () => client.serverStream({})[Symbol.asyncIterator]());
      for (let at = 0; at < 3; at++) {
        // None continues before each has its message.
        let isDone = false;
        const all = Promise.all(streams.map((stream) => stream.next())).finally(() => {
          isDone = true;
        });
        for (let second = 0; second < 12 && !isDone; second++) {
          await settled(() => Number(isDone));
          await clock.advance(1000);
        }
        for (const { value } of await all) assert.equal(value?.payload.length, payload.length);
      }
    });
  });
});
