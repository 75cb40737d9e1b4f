import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttemptTimes, callPhases, printPhases } from "./call-phases.ts";
import type { PhaseTime } from "./explanation.ts";

const attempt = (times: Partial<AttemptTimes>): AttemptTimes => ({
  startedAtMs: 0,
  sentAtMs: undefined,
  headAtMs: 0,
  endedAtMs: undefined,
  unsentBytes: 0,
  ...times,
});
const connecting = (fromMs: number, toMs: number): PhaseTime[] => [{ phase: "connect", ms: toMs - fromMs }];
const print = (untilMs: number, ...attempts: AttemptTimes[]): string =>
  printPhases(callPhases(1000, untilMs, attempts, connecting, false));

test("a call that still waits spends all its time on that", () => {
  assert.equal(print(1500, attempt({ startedAtMs: 1000 })), "connect 500");
});

test("a call without a response waits for its first byte once it is sent", () => {
  assert.equal(print(1500, attempt({ startedAtMs: 1000, sentAtMs: 1000 })), "first byte 500");
  assert.equal(print(1500, attempt({ startedAtMs: 1000, sentAtMs: 1200 })), "connect 200, first byte 300");
});

test("a request that is held back is being sent", () => {
  assert.equal(print(1500, attempt({ startedAtMs: 1000, sentAtMs: 1000, unsentBytes: 1 })), "send 500");
});

test("a response that has begun is being received", () => {
  const times = { startedAtMs: 1000, sentAtMs: 1000, headAtMs: 1100, unsentBytes: 1 };
  assert.equal(print(1500, attempt(times)), "first byte 100, receive 400");
});

test("a pause between attempts is backoff, and so is one that is not over, but not the end of the last attempt", () => {
  const first = attempt({ startedAtMs: 1000, sentAtMs: 1000, endedAtMs: 1100 });
  const second = attempt({ startedAtMs: 1300, sentAtMs: 1300, endedAtMs: 1310 });
  const phases = callPhases(1000, 1320, [first, second], connecting, true);
  assert.equal(printPhases(phases), "first byte 100, backoff 200, first byte 10, backoff 10");
  assert.equal(print(1320, first, second), "first byte 100, backoff 200, first byte 20");
});

test("time in which attempts overlap counts once", () => {
  const first = attempt({ startedAtMs: 1000, sentAtMs: 1000, endedAtMs: 1400 });
  const second = attempt({ startedAtMs: 1100, sentAtMs: 1100, endedAtMs: 1200 });
  const third = attempt({ startedAtMs: 1200, sentAtMs: 1200 });
  const phases = callPhases(1000, 1500, [first, second, third], connecting, false);
  assert.equal(
    phases.reduce((sum, { ms }) => sum + ms, 0),
    500,
  );
});

test("no time at all still has a phase", () => {
  assert.equal(print(1000, attempt({ startedAtMs: 1000 })), "connect 0");
  assert.equal(print(1000), "pick 0");
});
