import assert from "node:assert/strict";
import { test } from "node:test";
import { LinePace } from "../logging/line-pace.ts";
import type { Log, LogFields } from "../logging/log.ts";
import { systemClock } from "../time/clock.ts";
import { type LimitExceeded, LimitReporter } from "./limit-reporter.ts";

const strike = { limit: "resets", action: "closed", streamId: 0, detail: "too_many_resets" } as const;

function setUp(shared = new LinePace(100)) {
  const lines: LogFields[] = [];
  const strikes: LimitExceeded[] = [];
  let nowMs = 5_000_000;
  const nothing = (): void => {};
  const log: Log = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (_message, fields = {}) => lines.push(fields),
  };
  const clock = { ...systemClock, nowMs: () => nowMs };
  const reporter = new LimitReporter(log, (given) => strikes.push(given), clock, shared);
  return {
    lines,
    strikes,
    reporter,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

test("writes a line with the limit, what followed and who it was, and tells it", () => {
  const { lines, strikes, reporter } = setUp();
  reporter.report(strike, "192.0.2.1", {});
  assert.deepEqual(lines, [{ limit: "resets", action: "closed", peer: "192.0.2.1", detail: "too_many_resets" }]);
  assert.deepEqual(strikes, [{ ...strike, peer: "192.0.2.1" }]);
});

test("writes ten lines a second for a connection, tells of all, and says how many it left out", () => {
  const { lines, strikes, reporter, pass } = setUp();
  const connection = {};
  for (let i = 0; i < 50; i++) reporter.report(strike, undefined, connection);
  assert.equal(lines.length, 10);
  assert.equal(strikes.length, 50);
  pass(1000);
  reporter.report(strike, undefined, connection);
  assert.equal(lines.length, 11);
  assert.equal(lines[10]?.suppressed, 40);
  reporter.report(strike, undefined, connection);
  assert.equal("suppressed" in (lines[11] as object), false);
});

test("writes a hundred lines a second for all connections of the process", () => {
  const shared = new LinePace(100);
  const [one, other] = [setUp(shared), setUp(shared)];
  for (let i = 0; i < 80; i++) for (const { reporter } of [one, other]) reporter.report(strike, undefined, {});
  assert.equal(one.lines.length + other.lines.length, 100);
  one.pass(1000);
  one.reporter.report(strike, undefined, {});
  assert.equal(one.lines.length + other.lines.length, 101);
});

test("writes one line a minute of peers that only came near a limit, whichever they are, and says how many it left out", () => {
  const { lines, strikes, reporter, pass } = setUp();
  const near = { limit: "large_header_list", action: "warned", streamId: 1, detail: "large" } as const;
  for (let i = 0; i < 50; i++) reporter.report(near, "192.0.2.1", {});
  assert.deepEqual([lines.length, lines[0]?.limit, lines[0]?.action], [1, "large_header_list", "warned"]);
  assert.equal(strikes.length, 50);
  // The first minute of this clock is not whole.
  pass(39_999);
  reporter.report(near, "192.0.2.1", {});
  assert.equal(lines.length, 1);
  pass(1);
  reporter.report(near, "192.0.2.1", {});
  assert.equal(lines[1]?.suppressed, 50);
  // What is exceeded meanwhile has its line.
  reporter.report(strike, "192.0.2.1", {});
  assert.equal(lines[2]?.limit, "resets");
});

test("counts strikes without a connection together", () => {
  const { lines, reporter } = setUp();
  for (let i = 0; i < 50; i++) reporter.report(strike, "192.0.2.1");
  assert.equal(lines.length, 10);
});

test("escapes what it writes", () => {
  const { lines, reporter } = setUp();
  reporter.report({ ...strike, streamId: 7, detail: "a\nb" }, "fe80::1%\n", {});
  assert.deepEqual([lines[0]?.detail, lines[0]?.peer, lines[0]?.streamId], ["a\\u{a}b", "fe80::1%\\u{a}", 7]);
});

test("contains what onLimit throws, and logs it once a minute", () => {
  const errors: LogFields[] = [];
  const warnings: LogFields[] = [];
  const nothing = (): void => {};
  const log: Log = {
    debug: nothing,
    info: nothing,
    warn: (_message, fields = {}) => warnings.push(fields),
    error: (_message, fields = {}) => errors.push(fields),
  };
  let nowMs = 6_000_000;
  const onLimit = (): never => {
    throw { reason: "broken" };
  };
  const clock = { ...systemClock, nowMs: () => nowMs };
  const reporter = new LimitReporter(log, onLimit, clock, new LinePace(100));
  reporter.report(strike, undefined, {});
  reporter.report(strike, undefined, {});
  nowMs += 60_000;
  reporter.report(strike, undefined, {});
  const failure = { limit: "resets", error: "an object with reason" };
  assert.deepEqual(errors, [failure, failure]);
  assert.equal(warnings.length, 3);
});
