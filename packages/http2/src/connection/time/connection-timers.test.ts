import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../../errors/error-code.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { resolveLimits } from "../limits.ts";
import { ConnectionTimers } from "./connection-timers.ts";

const limits = resolveLimits({
  life: { handshakeTimeoutMs: 100, settingsAckTimeoutMs: 200, maxIdleMs: 400 },
  frames: { timeoutMs: 50 },
  output: { stallTimeoutMs: 300 },
});

test("gives the peer's SETTINGS until the handshake's time is up", () => {
  const phases = new ConnectionTimers(limits, 1000);
  assert.equal(phases.overdue(1099, false, false, undefined), undefined);
  assert.equal(phases.overdue(1100, false, false, undefined)?.code, ErrorCode.settingsTimeout);
  assert.equal(phases.overdue(1100, true, false, undefined), undefined);
});

test("gives the acknowledgement of our SETTINGS its own time", () => {
  const phases = new ConnectionTimers(limits, 1000);
  assert.equal(phases.overdue(1199, true, false, undefined), undefined);
  assert.equal(phases.overdue(1200, true, false, undefined)?.code, ErrorCode.settingsTimeout);
  assert.equal(phases.overdue(9999, true, true, undefined), undefined);
});

test("gives a header block its time", () => {
  const phases = new ConnectionTimers(limits, 0);
  assert.equal(phases.overdue(549, true, true, 500), undefined);
  assert.equal(phases.overdue(550, true, true, 500)?.code, ErrorCode.enhanceYourCalm);
});

test("gives a frame its time from when it was begun, however many bytes of it trickle in", () => {
  const phases = new ConnectionTimers(limits, 0);
  const clock = new FakeClock();
  clock.advance(500);
  for (let ms = 0; ms < 49; ms++) {
    phases.afterRead(true, 7, clock);
    clock.advance(1);
  }
  assert.equal(phases.overdue(clock.nowMs(), true, true, undefined), undefined);
  clock.advance(1);
  phases.afterRead(true, 7, clock);
  assert.equal(phases.overdue(clock.nowMs(), true, true, undefined)?.code, ErrorCode.enhanceYourCalm);
});

test("begins to count again when another frame has ended meanwhile, and stops when none is open", () => {
  const phases = new ConnectionTimers(limits, 0);
  const clock = new FakeClock();
  phases.afterRead(true, 7, clock);
  clock.advance(49);
  phases.afterRead(true, 8, clock);
  assert.equal(phases.overdue(98, true, true, undefined), undefined);
  assert.notEqual(phases.overdue(99, true, true, undefined), undefined);
  phases.afterRead(false, 9, clock);
  assert.equal(phases.overdue(9999, true, true, undefined), undefined);
});

test("calls writes stalled when bytes wait and none has left for the whole time", () => {
  const phases = new ConnectionTimers(limits, 0);
  assert.equal(phases.isStalled(1000, 500, 400), false);
  assert.equal(phases.isStalled(1299, 500, 400), false);
  assert.equal(phases.isStalled(1300, 500, 400), true);
});

test("calls writes stalled while bytes leave more slowly than the lowest rate, and not at that rate", () => {
  // 1024 bytes a second, for 300 ms.
  const wanted = 308;
  for (const [left, isStalled] of [
    [wanted - 1, true],
    [wanted, false],
  ] as const) {
    const phases = new ConnectionTimers(limits, 0);
    assert.equal(phases.isStalled(0, 10_000, 9_000), false);
    assert.equal(phases.isStalled(150, 10_000, 9_000 - 100), false);
    assert.equal(phases.isStalled(300, 10_000, 9_000 - left), isStalled);
  }
});

test("does not call writes stalled when all that waited has left, however little, or none waits", () => {
  const phases = new ConnectionTimers(limits, 0);
  for (let step = 0; step < 10; step++) assert.equal(phases.isStalled(step * 299, 510 + step * 10, 10), false);
  assert.equal(phases.isStalled(10_000, 900, 0), false);
  assert.equal(phases.isStalled(20_000, 900, 0), false);
});

test("calls writes stalled although more and more is added to what waits", () => {
  const phases = new ConnectionTimers(limits, 0);
  let stalled = false;
  for (let ms = 0; ms <= 400; ms += 50) stalled = phases.isStalled(ms, 500 + ms, 400 + ms);
  assert.equal(stalled, true);
});

test("calls a connection idle after its time without streams, and starts over with each", () => {
  const phases = new ConnectionTimers(limits, 0);
  assert.equal(phases.isIdle(0, 0), false);
  assert.equal(phases.isIdle(399, 0), false);
  assert.equal(phases.isIdle(400, 0), true);
  phases.busy();
  assert.equal(phases.isIdle(500, 0), false);
  assert.equal(phases.isIdle(600, 1), false);
  assert.equal(phases.isIdle(601, 0), false);
  assert.equal(phases.isIdle(1000, 0), false);
  assert.equal(phases.isIdle(1001, 0), true);
});

test("never calls a connection idle when that time is 0", () => {
  const phases = new ConnectionTimers(resolveLimits({ life: { maxIdleMs: 0 } }), 0);
  assert.equal(phases.isIdle(0, 0), false);
  assert.equal(phases.isIdle(1e12, 0), false);
});
