import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ChannelOptions, explainError } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { streamOf } from "@tercel/test-support/async";
import { openAttempts } from "./support/open-attempts.ts";

const retryPolicy = {
  maxAttempts: 4,
  initialBackoff: "0.1s",
  maxBackoff: "0.3s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};

function open(test: TestContext, policy: Partial<typeof retryPolicy> = {}, options: Partial<ChannelOptions> = {}) {
  const { tls: _tls, connectTimeoutMs: _timeout, ...rest } = options;
  const methodConfig = [{ name: [{}], retryPolicy: { ...retryPolicy, ...policy } }];
  return openAttempts(test, { serviceConfig: { methodConfig }, ...rest });
}

function unavailable(pushback?: string): ConnectError {
  const metadata = pushback === undefined ? undefined : { "grpc-retry-pushback-ms": pushback };
  return new ConnectError("not now", Code.Unavailable, metadata);
}

describe("a unary call with a retry policy", () => {
  it("is sent again after pauses that grow up to their maximum, and says how often it was sent before", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({ text: "hello" });
    for (const [index, pauseMs] of [100, 200, 300].entries()) {
      (await attempt(index)).fail(unavailable());
      await count();
      await clock.advance(pauseMs - 1);
      assert.equal(await count(), index + 1);
      await clock.advance(1);
      assert.equal(await count(), index + 2);
    }
    const last = await attempt(3);
    assert.equal(last.earlier, "3");
    assert.deepEqual(last.texts, ["hello"]);
    last.answer("there");
    assert.equal((await answer).text, "there");
    assert.equal((await attempt(0)).earlier, null);
    assert.equal((await attempt(1)).earlier, "1");
  });

  it("fails with the last status once all attempts are made", async (t) => {
    const { client, clock, attempt, count } = open(t, { maxAttempts: 2 });
    const failing = assertStatus(client.unary({}), Code.Unavailable, "the second");
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(1)).fail(new ConnectError("the second", Code.Unavailable));
    const explanation = explainError(await failing);
    assert.equal(explanation?.notRepeated, "all 2 attempts were made");
    assert.deepEqual(
      explanation.attempts.map(({ message, startedAfterMs }) => [message, startedAfterMs]),
      [
        ["not now", 0],
        ["the second", 100],
      ],
    );
    assert.equal(await count(), 2);
  });

  it("makes at most five attempts, whatever the config says", async (t) => {
    const { client, clock, attempt, count } = open(t, { maxAttempts: 9, backoffMultiplier: 1 });
    const failing = assertStatus(client.unary({}), Code.Unavailable);
    for (let index = 0; index < 5; index++) {
      (await attempt(index)).fail(unavailable());
      await count();
      await clock.advance(100);
    }
    await failing;
    assert.equal(await count(), 5);
  });

  it("is not sent again after a status that the policy does not name", async (t) => {
    const { client, attempt, count, clock } = open(t);
    const failing = assertStatus(client.unary({}), Code.Internal);
    (await attempt(0)).fail(new ConnectError("broken", Code.Internal));
    assert.equal(explainError(await failing)?.notRepeated, "the retry policy does not name this status");
    await clock.advance(10_000);
    assert.equal(await count(), 1);
  });

  it("waits exactly as long as the server asks, and starts its own pauses over behind that", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({});
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(1)).fail(unavailable("777"));
    await count();
    await clock.advance(776);
    assert.equal(await count(), 2);
    await clock.advance(1);
    (await attempt(2)).fail(unavailable());
    await count();
    await clock.advance(99);
    assert.equal(await count(), 3);
    await clock.advance(1);
    (await attempt(3)).answer("there");
    assert.equal((await answer).text, "there");
  });

  for (const pushback of ["-1", "soon", "", "1.5", "007", "2147483648"]) {
    it(`takes a pushback of "${pushback}" for no further attempt, where grpc-js would try again at once`, async (t) => {
      const { client, clock, attempt, count } = open(t);
      const failing = assertStatus(client.unary({}), Code.Unavailable);
      (await attempt(0)).fail(unavailable(pushback));
      assert.equal(explainError(await failing)?.notRepeated, "the server forbade further attempts");
      await clock.advance(10_000);
      assert.equal(await count(), 1);
    });
  }

  it("does not go on after its deadline, which spans all attempts", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const failing = assertStatus(
      client.unary({}, { timeoutMs: 250 }),
      Code.DeadlineExceeded,
      /^the deadline has passed while waiting 0\.\d s more for attempt 3 after \[unavailable\] not now \(2\d\d ms: backoff 2\d\d\)$/,
    );
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    assert.equal(second.context.requestHeader.get("grpc-timeout"), null);
    second.fail(unavailable());
    await count();
    await clock.advance(200);
    const explanation = explainError(await failing);
    assert.equal(explanation?.phase, "backoff");
    await clock.advance(10_000);
    assert.equal(await count(), 2);
  });

  it("tells the server of each attempt what is left of the time", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const answer = client.unary({}, { timeoutMs: 60_000 });
    const first = await attempt(0);
    const before = first.context.timeoutMs() as number;
    first.fail(unavailable());
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    const after = second.context.timeoutMs() as number;
    assert.ok(before > 59_000 && before <= 60_000 && after > 58_900 && after <= 59_900, `${before}, ${after}`);
    second.answer("");
    await answer;
  });

  it("leaves no timer behind when it is cancelled during a pause", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const controller = new AbortController();
    const failing = assertStatus(client.unary({}, { signal: controller.signal }), Code.Canceled);
    (await attempt(0)).fail(unavailable());
    await count();
    controller.abort();
    await failing;
    await clock.advance(10_000);
    assert.equal(await count(), 1);
  });

  it("is made once when its request is larger than the buffer by one byte", async (t) => {
    // A prefix of 5 bytes, a tag, a length and the text.
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytesPerCall: 27 });
    const fits = client.unary({ text: "x".repeat(20) });
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(1)).answer("there");
    await fits;
    const failing = assertStatus(client.unary({ text: "x".repeat(21) }), Code.Unavailable);
    (await attempt(2)).fail(unavailable());
    assert.equal(explainError(await failing)?.notRepeated, "the request does not fit the buffer");
    await clock.advance(10_000);
    assert.equal(await count(), 3);
  });

  it("is made once while other calls fill the buffer of the channel, and repeated again after them", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytes: 53 });
    const text = "x".repeat(20);
    const first = client.unary({ text });
    (await attempt(0)).fail(unavailable());
    await count();
    const crowdedOut = assertStatus(client.unary({ text }), Code.Unavailable);
    (await attempt(1)).fail(unavailable());
    await crowdedOut;
    await clock.advance(100);
    (await attempt(2)).answer("");
    await first;
    const second = client.unary({ text });
    (await attempt(3)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(4)).answer("");
    await second;
  });
});

describe("retry throttling", () => {
  function openThrottled(t: TestContext) {
    const methodConfig = [{ name: [{}], retryPolicy: { ...retryPolicy, maxAttempts: 2 } }];
    return openAttempts(t, {
      serviceConfig: { methodConfig, retryThrottling: { maxTokens: 4, tokenRatio: 0.5 } },
    });
  }

  it("ends retries with half of the tokens left, and allows them above", async (t) => {
    const { client, clock, attempt, count } = openThrottled(t);
    // 4 tokens, 3 after the first failure: more than half, so there is a second attempt, which leaves 2.
    const first = assertStatus(client.unary({}), Code.Unavailable);
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(1)).fail(unavailable());
    await first;
    // 2 and one failure leave 1.
    const second = assertStatus(client.unary({}), Code.Unavailable);
    (await attempt(2)).fail(unavailable());
    assert.equal(explainError(await second)?.notRepeated, "retries are throttled");
    // Five successes give 2.5 back: 3.5, and 2.5 after the next failure.
    for (let at = 0; at < 5; at++) {
      const answer = client.unary({});
      (await attempt(3 + at)).answer("");
      await answer;
    }
    const third = client.unary({});
    (await attempt(8)).fail(unavailable());
    await count();
    await clock.advance(100);
    (await attempt(9)).answer("there");
    assert.equal((await third).text, "there");
  });

  it("is not touched by statuses that no policy names, and is by a server that asks for no further attempt", async (t) => {
    const { client, clock, attempt, count } = openThrottled(t);
    for (let at = 0; at < 3; at++) {
      const failing = assertStatus(client.unary({}), Code.InvalidArgument);
      (await attempt(at)).fail(new ConnectError("no", Code.InvalidArgument));
      await failing;
    }
    const pushedBack = assertStatus(client.unary({}), Code.InvalidArgument);
    (await attempt(3)).fail(new ConnectError("no", Code.InvalidArgument, { "grpc-retry-pushback-ms": "-1" }));
    await pushedBack;
    // 3 are left, and 2 after this failure: throttled.
    const failing = assertStatus(client.unary({}), Code.Unavailable);
    (await attempt(4)).fail(unavailable());
    assert.equal(explainError(await failing)?.notRepeated, "retries are throttled");
    await clock.advance(1000);
    assert.equal(await count(), 5);
  });
});

describe("a streaming call with a retry policy", () => {
  it("replays the requests that were sent, and goes on with those that follow", async (t) => {
    const { client, clock, attempt, count } = open(t);
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests() {
      yield { text: "a" };
      yield { text: "b" };
      await released;
      yield { text: "c" };
    }
    const answer = client.clientStream(requests());
    const first = await attempt(0);
    await count();
    assert.deepEqual(first.texts, ["a", "b"]);
    first.fail(unavailable());
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    assert.deepEqual(second.texts, ["a", "b"]);
    release();
    await count();
    assert.deepEqual(second.texts, ["a", "b", "c"]);
    second.answer("there");
    assert.equal((await answer).text, "there");
  });

  it("keeps what the application gives during a pause for the next attempt", async (t) => {
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
    (await attempt(0)).fail(unavailable());
    await count();
    release();
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    assert.deepEqual(second.texts, ["a", "b"]);
    second.answer("there");
    assert.equal((await answer).text, "there");
  });

  it("is not repeated once its response has begun", async (t) => {
    const { client, clock, attempt, count } = open(t);
    const responses = client.bidi(streamOf({ text: "a" }))[Symbol.asyncIterator]();
    const first = await attempt(0);
    first.answer("begun");
    assert.equal((await responses.next()).value?.text, "begun");
    assert.equal((await responses.next()).done, true);
    await clock.advance(10_000);
    assert.equal(await count(), 1);
  });

  it("is repeated while its requests fit the buffer, and not with one byte more", async (t) => {
    // Each text of one byte takes 8: prefix, tag, length, text.
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytesPerCall: 16 });
    const fits = client.clientStream(streamOf({ text: "a" }, { text: "b" }));
    await count();
    (await attempt(0)).fail(unavailable());
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    second.answer("there");
    assert.equal((await fits).text, "there");
    assert.deepEqual(second.texts, ["a", "b"]);

    const tooMuch = assertStatus(client.clientStream(streamOf({ text: "a" }, { text: "bb" })), Code.Unavailable);
    await count();
    const third = await attempt(2);
    assert.deepEqual(third.texts, ["a", "bb"]);
    third.fail(unavailable());
    await tooMuch;
    await clock.advance(10_000);
    assert.equal(await count(), 3);
  });

  it("makes one more attempt with everything when it outgrows the buffer during a pause", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytesPerCall: 16 });
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests() {
      yield { text: "a" };
      await released;
      yield { text: "x".repeat(100) };
      yield { text: "c" };
    }
    const failing = assertStatus(client.clientStream(requests()), Code.Unavailable);
    (await attempt(0)).fail(unavailable());
    await count();
    release();
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    assert.deepEqual(second.texts, ["a", "x".repeat(100), "c"]);
    second.fail(unavailable());
    await failing;
    await clock.advance(10_000);
    assert.equal(await count(), 2);
  });

  it("sends large requests again as they were", async (t) => {
    const { client, clock, attempt, count } = open(t, { maxAttempts: 2 });
    const text = "large ".repeat(20_000);
    const answer = client.clientStream(streamOf({ text }));
    const first = await attempt(0);
    await count();
    assert.deepEqual(first.texts, [text]);
    first.fail(unavailable());
    await count();
    await clock.advance(100);
    const second = await attempt(1);
    await count();
    assert.deepEqual(second.texts, [text]);
    second.answer("done");
    assert.equal((await answer).text, "done");
  });

  it("gives its part of the channel's buffer back when it is over", async (t) => {
    const { client, clock, attempt, count } = open(t, {}, { retryBufferBytes: 16 });
    for (let round = 0; round < 3; round++) {
      const answer = client.clientStream(streamOf({ text: "a" }, { text: "b" }));
      await count();
      (await attempt(2 * round)).fail(unavailable());
      await count();
      await clock.advance(100);
      (await attempt(2 * round + 1)).answer("there");
      assert.equal((await answer).text, "there");
    }
  });
});
