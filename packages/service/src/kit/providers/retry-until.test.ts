import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { recordingLog } from "@tercel/test-support/calls";
import { PermanentError } from "../../permanent-error.ts";
import { retryUntil } from "./retry-until.ts";

/** Pauses without their random part: 250 ms, 400 ms, 640 ms and so on. */
function settingsOf(waitMs: number) {
  const clock = createFakeClock();
  const { log, logged } = recordingLog();
  const stopping = new AbortController();
  return { clock, logged, stopping, settings: { waitMs, clock, log, signal: stopping.signal, random: () => 0.5 } };
}

const nothingIsLate = (): never => assert.fail("nothing opens late");

describe("what is tried until it succeeds", () => {
  it("is tried again with growing pauses, and each failure is a line that says when the next attempt is", async () => {
    const { clock, logged, settings } = settingsOf(60_000);
    let attempts = 0;
    const opening = retryUntil(
      "database main",
      async () => {
        if (++attempts < 3) throw new Error("connect ECONNREFUSED");
        return "open";
      },
      nothingIsLate,
      settings,
    );
    await clock.advance(650);
    assert.equal(await opening, "open");
    assert.deepEqual(
      logged.map(({ message }) => message),
      [
        "database main: connect ECONNREFUSED, attempt 1, next in 0.3 s",
        "database main: connect ECONNREFUSED, attempt 2, next in 0.4 s",
      ],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  it("fails when the time is over, and names the setting that allows more", async () => {
    const { clock, settings } = settingsOf(500);
    const opening = retryUntil("cache", () => Promise.reject(new Error("away")), nothingIsLate, settings);
    const failure = assert.rejects(
      opening,
      /^Error: cache: away \(attempt 2, gave up after 0.5 s; raise service.start.wait to wait longer\)$/,
    );
    await clock.advance(500);
    await failure;
    assert.equal(clock.pendingTimers, 0);
  });

  it("fails at once for what does not change by trying again", async () => {
    const { clock, settings } = settingsOf(60_000);
    const cause = new PermanentError("28P01: the password is wrong");
    const opening = retryUntil("database main", () => Promise.reject(cause), nothingIsLate, settings);
    await assert.rejects(opening, { message: "database main: 28P01: the password is wrong", cause });
    assert.equal(clock.pendingTimers, 0);
  });

  it("is tried once when no time is given", async () => {
    const { settings } = settingsOf(0);
    let attempts = 0;
    const attempt = async (): Promise<never> => {
      attempts++;
      throw new Error("away");
    };
    await assert.rejects(retryUntil("cache", attempt, nothingIsLate, settings), /attempt 1, gave up after 0 s/);
    assert.equal(attempts, 1);
  });

  it("is given up when it does not answer, and what it opens later is handed over to be closed", async () => {
    const { clock, settings } = settingsOf(10_000);
    const late = Promise.withResolvers<string>();
    const closed = Promise.withResolvers<string>();
    const opening = retryUntil("database main", () => late.promise, closed.resolve, settings);
    const failure = assert.rejects(opening, /^Error: database main: timeout \(attempt 1, gave up after 10 s/);
    await clock.advance(9_999);
    assert.equal(clock.pendingTimers, 1);
    await clock.advance(1);
    await failure;
    late.resolve("a late connection");
    assert.equal(await closed.promise, "a late connection");
    assert.equal(clock.pendingTimers, 0);
  });

  it("ends when a stop is requested, in an attempt and in a pause", async () => {
    for (const attempt of [() => new Promise<never>(() => {}), () => Promise.reject(new Error("away"))]) {
      const { clock, stopping, settings } = settingsOf(60_000);
      const opening = retryUntil("cache", attempt, nothingIsLate, settings);
      const failure = assert.rejects(opening, /stopped during the start/);
      await clock.advance(10);
      stopping.abort();
      await failure;
      assert.equal(clock.pendingTimers, 0);
    }
  });
});
