// What channels tell of the attempts that calls are made of.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { assertStatus } from "@tercel/grpc/testing";
import { aborted, collect, quiet, streamOf } from "@tercel/test-support/async";
import { countingGzip } from "@tercel/test-support/calls";
import { createAttemptRecorder } from "./support/attempt-recorder.ts";
import { openAttempts } from "./support/open-attempts.ts";
import { openInMemory, overBothTransports } from "./support/open-echo.ts";

const refused = () => new ConnectError("not now", Code.Unavailable);

describe("the observer of attempts", () => {
  overBothTransports((open) => {
    it("hears of a unary call's attempt from its begin to its end, with the bytes of its messages", async (t) => {
      const { attempts, interceptor } = createAttemptRecorder();
      const { client } = await open(
        t,
        { unary: () => ({ text: "four" }) },
        { channel: { interceptors: [interceptor] } },
      );
      await client.unary({ text: "hello" });
      await client.unary({ text: "hello" });
      // A tag, a length and the text.
      assert.deepEqual(attempts, [
        { begun: "Unary 0", told: ["waited", "sent 7", "received 6", "OK"] },
        { begun: "Unary 0", told: ["picked", "sent 7", "received 6", "OK"] },
      ]);
    });

    it("hears of each message of a stream, empty ones included", async (t) => {
      const { attempts, interceptor } = createAttemptRecorder();
      const { client } = await open(
        t,
        {
          async *bidi(requests) {
            for await (const { text } of requests) yield { text };
          },
        },
        { channel: { interceptors: [interceptor] } },
      );
      const texts = await collect(client.bidi(streamOf({ text: "a" }, {}, { text: "abc" })));
      assert.equal(texts.length, 3);
      const told = attempts[0]?.told ?? [];
      assert.deepEqual(
        told.filter((one) => one.startsWith("sent")),
        ["sent 3", "sent 0", "sent 5"],
      );
      assert.deepEqual(
        told.filter((one) => one.startsWith("received")),
        ["received 3", "received 0", "received 5"],
      );
      assert.equal(told.at(-1), "OK");
      assert.equal(attempts.length, 1);
    });
  });

  it("hears the bytes of compressed messages as they are sent", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const { compression, compressedBytes } = countingGzip();
    const { client } = await openInMemory(
      t,
      { unary: ({ payload }) => ({ payload }) },
      {
        server: { compressions: [compression], compressMinBytes: 1024 },
        channel: { interceptors: [interceptor], sendCompression: compression, acceptCompressions: [compression] },
      },
    );
    await client.unary({ payload: new Uint8Array(100_000) });
    const [sent, received] = compressedBytes;
    assert.ok(sent !== undefined && sent < 1000);
    assert.deepEqual(attempts[0]?.told.slice(1), [`sent ${sent} compressed`, `received ${received} compressed`, "OK"]);
  });

  it("hears of each attempt of a repeated call, with its own end", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const retryPolicy = {
      maxAttempts: 3,
      initialBackoff: "0.1s",
      maxBackoff: "0.1s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const serviceConfig = { methodConfig: [{ name: [{}], retryPolicy }] };
    const { client, clock, attempt } = openAttempts(t, { serviceConfig, interceptors: [interceptor] });
    const call = client.unary({ text: "a" });
    (await attempt(0)).fail(refused());
    await quiet();
    await clock.advance(120);
    (await attempt(1)).answer("b");
    await call;
    assert.deepEqual(attempts, [
      { begun: "Unary 0", told: ["waited", "sent 3", "Unavailable"] },
      { begun: "Unary 1", told: ["picked", "sent 3", "received 3", "OK"] },
    ]);
  });

  it("hears of each attempt of a hedged call, and that those which lost were cancelled", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const hedgingPolicy = { maxAttempts: 2, hedgingDelay: "0.1s", nonFatalStatusCodes: [] };
    const serviceConfig = { methodConfig: [{ name: [{}], hedgingPolicy }] };
    const { client, clock, attempt } = openAttempts(t, { serviceConfig, interceptors: [interceptor] });
    const call = collect(client.serverStream({ text: "a" }));
    const first = await attempt(0);
    await clock.advance(100);
    (await attempt(1)).answer("b");
    await call;
    await aborted(first.context.signal);
    assert.deepEqual(attempts, [
      { begun: "ServerStream 0", told: ["waited", "sent 3", "Canceled"] },
      { begun: "ServerStream 1", told: ["picked", "sent 3", "received 3", "OK"] },
    ]);
  });

  it("hears the end of an attempt that never had a connection, by the deadline and by the caller", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const { client, clock } = openAttempts(t, { interceptors: [interceptor], resolvers: [] });
    const late = assertStatus(client.unary({}, { timeoutMs: 5 }), Code.DeadlineExceeded);
    const left = new AbortController();
    const cancelled = assertStatus(client.unary({}, { signal: left.signal }), Code.Canceled);
    left.abort();
    await clock.advance(20);
    await Promise.all([late, cancelled]);
    const told = attempts.map((one) => one.told.at(-1));
    assert.deepEqual(told.sort(), ["Canceled", "DeadlineExceeded"]);
  });

  it("hears of no attempt of a call that was over before it began one", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const { client } = await openInMemory(t, {}, { channel: { interceptors: [interceptor] } });
    await assertStatus(client.unary({}, { signal: AbortSignal.abort() }), Code.Canceled);
    assert.deepEqual(attempts, []);
  });

  it("gives each attempt metadata of its own, in the place of its call's", async (t) => {
    const { interceptor } = createAttemptRecorder(({ header, earlierAttempts }) => ({
      "x-tag": `${header.get("x-tag")} ${earlierAttempts}`,
      "x-more-bin": "AAEC",
    }));
    const seen: (string | null)[] = [];
    const { client } = await openInMemory(
      t,
      {
        unary(_request, { requestHeader, timeoutMs }) {
          seen.push(...["x-tag", "x-more-bin", "x-other"].map((name) => requestHeader.get(name)));
          assert.ok((timeoutMs() ?? 0) > 0);
          return {};
        },
      },
      { channel: { interceptors: [interceptor] } },
    );
    await client.unary({}, { headers: { "x-tag": "call", "x-other": "o" }, timeoutMs: 60_000 });
    assert.deepEqual(seen, ["call 0", "AAEC", "o"]);
  });

  it("may throw without harm, to the call and to other observers", async (t) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const fail = (): never => {
      throw new Error("broken");
    };
    const broken: Interceptor[] = [
      createHookedInterceptor({ onAttempt: fail }),
      createHookedInterceptor({
        onAttempt: () => ({ onPick: fail, onSent: fail, onReceived: fail, onEnd: fail }),
      }),
    ];
    const { client } = await openInMemory(
      t,
      { unary: () => ({ text: "ok" }) },
      { channel: { interceptors: [...broken, interceptor] } },
    );
    assert.equal((await client.unary({})).text, "ok");
    assert.deepEqual(attempts[0]?.told, ["waited", "sent 0", "received 4", "OK"]);
  });
});
