import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { explainError, type ServiceConfigJson } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { aborted, collect } from "@tercel/test-support/async";
import { openAttempts } from "./support/open-attempts.ts";

const hedgingPolicy = { maxAttempts: 3, hedgingDelay: "0.1s", nonFatalStatusCodes: ["UNAVAILABLE"] };

function open(
  test: TestContext,
  policy: Partial<typeof hedgingPolicy> = {},
  more: Pick<ServiceConfigJson, "retryThrottling"> & { retryBufferBytesPerCall?: number } = {},
) {
  const { retryBufferBytesPerCall, ...config } = more;
  const methodConfig = [{ name: [{}], hedgingPolicy: { ...hedgingPolicy, ...policy } }];
  return openAttempts(test, {
    serviceConfig: { methodConfig, ...config },
    ...(retryBufferBytesPerCall !== undefined && { retryBufferBytesPerCall }),
  });
}

function unavailable(pushback?: string): ConnectError {
  const metadata = pushback === undefined ? undefined : { "grpc-retry-pushback-ms": pushback };
  return new ConnectError("not now", Code.Unavailable, metadata);
}

describe("a hedged call", () => {
  it("is sent again each time the delay has passed without an answer, up to its attempts", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({ text: "hello" });
    await attempt(0);
    for (const sent of [1, 2]) {
      await clock.advance(99);
      assert.equal(await count(), sent);
      await clock.advance(1);
      assert.equal(await count(), sent + 1);
    }
    await clock.advance(10_000);
    assert.equal(await count(), 3);
    assert.deepEqual(
      [(await attempt(0)).earlier, (await attempt(1)).earlier, (await attempt(2)).earlier],
      [null, "1", "2"],
    );
    (await attempt(2)).answer("there");
    assert.equal((await answer).text, "there");
  });

  it("takes the first answer and cancels the other attempts", async (t) => {
    const { client, clock, attempt } = open(t);
    const answer = client.unary({});
    const first = await attempt(0);
    await clock.advance(100);
    const second = await attempt(1);
    await clock.advance(100);
    const third = await attempt(2);
    second.answer("second");
    assert.equal((await answer).text, "second");
    await Promise.all([aborted(first.context.signal), aborted(third.context.signal)]);
  });

  it("sends no more once it is answered", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({});
    (await attempt(0)).answer("there");
    await answer;
    await clock.advance(10_000);
    assert.equal(await count(), 1);
  });

  it("with a delay of 0 sends all attempts at once", async (t) => {
    const { client, attempt, count } = open(t, { hedgingDelay: "0s" });
    const answer = client.unary({});
    assert.equal(await count(), 3);
    (await attempt(1)).answer("there");
    assert.equal((await answer).text, "there");
  });

  it("sends the next attempt at once when one fails in a way that others may not, and the one after it in its turn", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({});
    (await attempt(0)).fail(unavailable());
    assert.equal(await count(), 2);
    await clock.advance(99);
    assert.equal(await count(), 2);
    await clock.advance(1);
    (await attempt(2)).answer("there");
    assert.equal((await answer).text, "there");
  });

  it("ends with a status that is final, and cancels what is open", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const failing = assertStatus(client.unary({}), Code.NotFound, "nowhere");
    const first = await attempt(0);
    await clock.advance(100);
    (await attempt(1)).fail(new ConnectError("nowhere", Code.NotFound));
    const explanation = explainError(await failing);
    assert.equal(explanation?.notRepeated, "the hedging policy takes this status as final");
    await aborted(first.context.signal);
    await clock.advance(10_000);
    assert.equal(await count(), 2);
  });

  it("fails with the last status when all attempts have failed", async (t) => {
    const { client, attempt } = open(t);
    const failing = assertStatus(client.unary({}), Code.Unavailable, "the last");
    for (const index of [0, 1]) (await attempt(index)).fail(unavailable());
    (await attempt(2)).fail(new ConnectError("the last", Code.Unavailable));
    const explanation = explainError(await failing);
    assert.equal(explanation?.attempts.length, 3);
    assert.equal(explanation.notRepeated, "all 3 attempts were made");
  });

  it("sends the next attempt when the server says, and the one after it the delay later", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({});
    (await attempt(0)).fail(unavailable("250"));
    await count();
    await clock.advance(249);
    assert.equal(await count(), 1);
    await clock.advance(1);
    await attempt(1);
    await clock.advance(99);
    assert.equal(await count(), 2);
    await clock.advance(1);
    (await attempt(2)).answer("there");
    assert.equal((await answer).text, "there");
  });

  it("sends no more when the server says so, and waits for those that are open", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({});
    const first = await attempt(0);
    await clock.advance(100);
    (await attempt(1)).fail(unavailable("-1"));
    await count();
    await clock.advance(10_000);
    assert.equal(await count(), 2);
    first.answer("there");
    assert.equal((await answer).text, "there");
  });

  it("is sent once while hedges are throttled, where grpc-js would go on", async (t) => {
    const { client, clock, attempt, count } = open(
      t,
      { maxAttempts: 2 },
      { retryThrottling: { maxTokens: 2, tokenRatio: 0.1 } },
    );
    const failing = assertStatus(client.unary({}), Code.Unavailable);
    // One failure of two tokens leaves half of them.
    (await attempt(0)).fail(unavailable());
    assert.equal(explainError(await failing)?.notRepeated, "hedges are throttled");
    const answer = client.unary({});
    const only = await attempt(1);
    await clock.advance(10_000);
    assert.equal(await count(), 2);
    only.answer("there");
    assert.equal((await answer).text, "there");
  });

  it("fails when the attempt it waits for is throttled and no other is open", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryThrottling: { maxTokens: 4, tokenRatio: 0.1 } });
    const waiting = assertStatus(client.unary({}), Code.Unavailable, "not now");
    (await attempt(0)).fail(unavailable("100"));
    await count();
    const other = assertStatus(client.unary({}), Code.Unavailable);
    (await attempt(1)).fail(unavailable("-1"));
    await other;
    await clock.advance(100);
    await waiting;
    assert.equal(await count(), 2);
  });

  it("ends all its attempts at its deadline", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const failing = assertStatus(client.unary({}, { timeoutMs: 150 }), Code.DeadlineExceeded);
    const first = await attempt(0);
    await clock.advance(100);
    const second = await attempt(1);
    await clock.advance(60);
    await failing;
    await Promise.all([aborted(first.context.signal), aborted(second.context.signal)]);
    await clock.advance(10_000);
    assert.equal(await count(), 2);
  });

  it("sends the requests of a stream to all its attempts", async (t) => {
    const { client, clock, attempt, count } = open(t);
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests() {
      yield { text: "a" };
      await released;
      yield { text: "b" };
    }
    const answer = client.clientStream(requests());
    const first = await attempt(0);
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    assert.deepEqual(second.texts, ["a"]);
    release();
    await count();
    assert.deepEqual(first.texts, ["a", "b"]);
    assert.deepEqual(second.texts, ["a", "b"]);
    second.answer("there");
    assert.equal((await answer).text, "there");
    await aborted(first.context.signal);
  });

  it("goes on with the attempt whose response begins first", async (t) => {
    const { client, clock, attempt } = open(t);
    const responses = collect(client.serverStream({ text: "hello" }));
    const first = await attempt(0);
    await clock.advance(100);
    (await attempt(1)).answer("second");
    assert.deepEqual(
      (await responses).map(({ text }) => text),
      ["second"],
    );
    await aborted(first.context.signal);
  });

  it("goes on with one attempt when its requests outgrow the buffer", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytesPerCall: 16 });
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests() {
      yield { text: "a" };
      await released;
      yield { text: "x".repeat(50) };
      yield { text: "c" };
    }
    const answer = client.clientStream(requests());
    const first = await attempt(0);
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    release();
    await aborted(second.context.signal);
    await count();
    await clock.advance(10_000);
    assert.equal(await count(), 2);
    assert.deepEqual(first.texts, ["a", "x".repeat(50), "c"]);
    first.answer("there");
    assert.equal((await answer).text, "there");
  });

  it("is sent once when its request is larger than the buffer", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytesPerCall: 16 });
    const answer = client.unary({ text: "x".repeat(50) });
    const only = await attempt(0);
    await clock.advance(10_000);
    assert.equal(await count(), 1);
    only.answer("there");
    assert.equal((await answer).text, "there");
  });
});
