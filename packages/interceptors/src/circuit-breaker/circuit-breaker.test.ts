import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason, readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, openInMemory, overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import { type CircuitBreakerOptions, type CircuitChange, createCircuitBreaker } from "./index.ts";

const unaryKey = (suffix = "") => `tercel.interceptors.test.v1.EchoService/Unary${suffix}`;

function failing(outcome: { code: Code | undefined; calls?: number }): EchoHandlers {
  return {
    unary() {
      outcome.calls = (outcome.calls ?? 0) + 1;
      if (outcome.code !== undefined) throw new ConnectError("as told", outcome.code);
      return {};
    },
  };
}

describe("circuit breaker", () => {
  overBothTransports((open) => {
    it("rejects calls while the server fails, tries a few after that, and reports each change", async (t) => {
      const clock = createFakeClock();
      const changes: CircuitChange[] = [];
      const outcome: { code: Code | undefined; calls?: number } = { code: Code.Unavailable };
      const breaker = createCircuitBreaker({
        failureThreshold: 2,
        openMs: 1000,
        halfOpenCalls: 1,
        clock,
        onStateChange: (change) => changes.push(change),
      });
      const { client } = await open(t, failing(outcome), { channel: { interceptors: [breaker] } });
      await assertStatus(client.unary({}), Code.Unavailable, "as told");
      await assertStatus(client.unary({}), Code.Unavailable, "as told");
      await clock.advance(400);
      const refused = await assertStatus(
        client.unary({}),
        Code.Unavailable,
        /^not sent: .*the next trial is in 600 ms$/,
      );
      assert.equal(readRetryAfterMs(refused), 600);
      assert.equal(readErrorReason(refused)?.reason, "CIRCUIT_OPEN");
      assert.equal(outcome.calls, 2, "the refused call was not sent");
      const [report] = breaker.circuits();
      assert.deepEqual([report?.state, report?.calls, report?.failures], ["open", 2, 2]);
      assert.ok(report?.key.startsWith(unaryKey("@")));
      assert.equal(breaker.state(report?.key ?? ""), "open");

      outcome.code = undefined;
      await clock.advance(600);
      await client.unary({});
      assert.deepEqual(
        changes.map(({ from, to }) => `${from} ${to}`),
        ["closed open", "open half-open", "half-open closed"],
      );
      assert.equal(outcome.calls, 3);
    });

    for (const kind of ["serverStream", "clientStream", "bidi"] as const) {
      it(`counts the failure of a ${kind} call, and rejects the next one`, async (t) => {
        const broken = () => new ConnectError("broken", Code.Internal);
        const breaker = createCircuitBreaker({ failureThreshold: 1, clock: createFakeClock() });
        const { client } = await open(
          t,
          {
            // biome-ignore lint/correctness/useYield: a handler that fails before its first answer is what is tried
            async *serverStream() {
              throw broken();
            },
            clientStream: () => Promise.reject(broken()),
            // biome-ignore lint/correctness/useYield: a handler that fails before its first answer is what is tried
            async *bidi() {
              throw broken();
            },
          },
          { channel: { interceptors: [breaker] } },
        );
        const call = () =>
          ({
            serverStream: () => client.serverStream({}),
            clientStream: () => client.clientStream(streamOf({})),
            bidi: () => client.bidi(streamOf({})),
          })[kind]();
        await assertStatus(call(), Code.Internal, "broken");
        await assertStatus(call(), Code.Unavailable, /^not sent/);
      });
    }
  });

  it("closes with the first response of a stream, although the stream stays open", async (t) => {
    const clock = createFakeClock();
    const done = createOccasion();
    let fails = true;
    const breaker = createCircuitBreaker({ failureThreshold: 1, halfOpenCalls: 1, openMs: 100, clock });
    const { client } = await openInMemory(
      t,
      {
        async *serverStream() {
          if (fails) throw new ConnectError("broken", Code.Unavailable);
          yield { count: 1 };
          await done.happened;
        },
      },
      { channel: { interceptors: [breaker] } },
    );
    await assertStatus(client.serverStream({}), Code.Unavailable);
    fails = false;
    await clock.advance(100);
    const stream = client.serverStream({})[Symbol.asyncIterator]();
    await stream.next();
    assert.equal(breaker.circuits()[0]?.state, "closed");
    done.happen();
    assert.equal((await stream.next()).done, true);
  });

  it("does not count errors of the caller and cancellations as failures", async (t) => {
    const outcome: { code: Code | undefined } = { code: Code.NotFound };
    const entered = createOccasion();
    const breaker = createCircuitBreaker({ failureThreshold: 1, clock: createFakeClock() });
    const { client } = await openInMemory(
      t,
      {
        ...failing(outcome),
        async *serverStream(_request, context) {
          entered.happen();
          await aborted(context.signal);
          yield {};
        },
      },
      { channel: { interceptors: [breaker] } },
    );
    for (const code of [Code.NotFound, Code.InvalidArgument, Code.ResourceExhausted, Code.Unauthenticated]) {
      outcome.code = code;
      await assertStatus(client.unary({}), code, "as told");
    }
    const cancel = new AbortController();
    const call = assertStatus(client.serverStream({}, { signal: cancel.signal }), Code.Canceled);
    await entered.happened;
    cancel.abort();
    await call;
    assert.deepEqual(
      breaker.circuits().map(({ state, calls, failures }) => [state, calls, failures]),
      [
        ["closed", 4, 0],
        ["closed", 0, 0],
      ],
    );
  });

  it("counts the codes in its options", async (t) => {
    const outcome: { code: Code | undefined } = { code: Code.ResourceExhausted };
    const breaker = createCircuitBreaker({
      failureThreshold: 1,
      codes: [Code.ResourceExhausted],
      clock: createFakeClock(),
    });
    const { client } = await openInMemory(t, failing(outcome), { channel: { interceptors: [breaker] } });
    await assertStatus(client.unary({}), Code.ResourceExhausted);
    await assertStatus(client.unary({}), Code.Unavailable, /^not sent/);
  });

  it("has one circuit per method, or per key of keyOf", async (t) => {
    const handlers: EchoHandlers = {
      unary() {
        throw new ConnectError("broken", Code.Unavailable);
      },
      async *serverStream() {
        yield {};
      },
    };
    const options: CircuitBreakerOptions = { failureThreshold: 1, clock: createFakeClock() };
    const apart = await openInMemory(t, handlers, {
      channel: { interceptors: [createCircuitBreaker(options)] },
    });
    await assertStatus(apart.client.unary({}), Code.Unavailable);
    assert.equal((await collect(apart.client.serverStream({}))).length, 1);

    const joint = createCircuitBreaker({ ...options, keyOf: () => "backend" });
    const joined = await openInMemory(t, handlers, { channel: { interceptors: [joint] } });
    await assertStatus(joined.client.unary({}), Code.Unavailable, "broken");
    await assertStatus(joined.client.serverStream({}), Code.Unavailable, /circuit of backend is open/);
    assert.equal(joint.state("backend"), "open");
    assert.equal(joint.state("another"), "closed");
  });

  it("drops the least recently used circuit when there are too many", async (t) => {
    const clock = createFakeClock();
    let key = "a";
    const breaker = createCircuitBreaker({ maxCircuits: 2, keyOf: () => key, clock });
    const { client } = await openInMemory(t, { unary: () => ({}) }, { channel: { interceptors: [breaker] } });
    for (key of ["a", "b", "a", "c"]) {
      await client.unary({});
      await clock.advance(1);
    }
    assert.deepEqual(
      breaker.circuits().map((one) => one.key),
      ["a", "c"],
    );
  });

  it("survives an onStateChange that throws", async (t) => {
    const { log, logged } = recordingLog();
    const breaker = createCircuitBreaker({
      failureThreshold: 1,
      log,
      clock: createFakeClock(),
      onStateChange: () => {
        throw new Error("cannot tell");
      },
    });
    const { client } = await openInMemory(t, failing({ code: Code.Unavailable }), {
      channel: { interceptors: [breaker] },
    });
    await assertStatus(client.unary({}), Code.Unavailable, "as told");
    assert.deepEqual(
      logged.map(({ message }) => message),
      ["onStateChange failed"],
    );
  });

  it("rejects invalid options", () => {
    assert.throws(() => createCircuitBreaker({ threshold: 3 } as object), /unknown option "threshold"/);
    assert.throws(() => createCircuitBreaker({ failureRate: 0 }), /failureRate is 0/);
    assert.throws(() => createCircuitBreaker({ failureRate: 1.1 }), /failureRate is 1.1/);
    assert.throws(() => createCircuitBreaker({ openMs: 0 }), /openMs is 0/);
    assert.doesNotThrow(() => createCircuitBreaker({ failureRate: 1, openMs: 1, windowMs: 10 }));
  });
});
