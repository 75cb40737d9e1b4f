import assert from "node:assert/strict";
import { test } from "node:test";
import { KeepaliveTimer } from "./keepalive.ts";

test("asks after the time of silence, once, and gives up after the time for the answer", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, timeoutMs: 500 }, 0);
  assert.equal(timer.step(999, true), "wait");
  assert.equal(timer.step(1000, true), "ping");
  assert.equal(timer.step(1499, true), "wait");
  assert.equal(timer.step(1500, true), "dead");
});

test("waits 20 seconds for the answer unless told otherwise", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000 }, 0);
  timer.step(1000, true);
  assert.equal(timer.step(20_999, true), "wait");
  assert.equal(timer.step(21_000, true), "dead");
});

test("takes a time of 0 for the answer at its word", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, timeoutMs: 0 }, 0);
  timer.step(1000, true);
  assert.equal(timer.step(1000, true), "dead");
});

test("takes any byte for a sign of life, before the ping and instead of its answer", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, timeoutMs: 500 }, 0);
  timer.onBytes();
  assert.equal(timer.step(1000, true), "wait");
  assert.equal(timer.step(1999, true), "wait");
  assert.equal(timer.step(2000, true), "ping");
  timer.onBytes();
  assert.equal(timer.step(2500, true), "wait");
  assert.equal(timer.step(3500, true), "ping");
});

test("is content with the answer alone", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, timeoutMs: 500 }, 0);
  timer.step(1000, true);
  timer.answered();
  assert.notEqual(timer.step(1500, true), "dead");
});

test("lets a connection without streams sleep, and asks at once when a stream opens after the silence", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, timeoutMs: 500 }, 0);
  assert.equal(timer.step(999, false), "wait");
  assert.equal(timer.isDormant, false);
  assert.equal(timer.step(1000, false), "wait");
  assert.equal(timer.isDormant, true);
  assert.equal(timer.wakes(1700), true);
  assert.equal(timer.isDormant, false);
  // The stream need not last until the answer is overdue.
  assert.equal(timer.step(2199, false), "wait");
  assert.equal(timer.step(2200, false), "dead");
});

test("asks at the next step for a stream that opened before the time was over", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000 }, 0);
  assert.equal(timer.step(900, false), "wait");
  assert.equal(timer.step(1100, true), "ping");
});

test("does not ask a peer that has just said something", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000 }, 0);
  timer.step(1000, false);
  timer.onBytes();
  assert.equal(timer.wakes(1001), false);
  assert.equal(timer.step(2000, true), "wait");
});

test("asks without streams where that is permitted", () => {
  const timer = new KeepaliveTimer({ timeMs: 1000, permitWithoutStreams: true }, 0);
  assert.equal(timer.step(1000, false), "ping");
});
