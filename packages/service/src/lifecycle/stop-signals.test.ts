import assert from "node:assert/strict";
import { test } from "node:test";
import { createStopLadder, onStopSignals } from "./stop-signals.ts";

test("the first signal stops, an echo within half a second is nothing, a later one forces", () => {
  const ladder = createStopLadder(500);
  assert.deepEqual([10_000, 10_003, 10_499, 10_500, 60_000].map(ladder), ["stop", "echo", "echo", "force", "force"]);
});

test("the time of an echo counts from the first signal, so that hammering a key forces", () => {
  assert.deepEqual([0, 200, 400, 600].map(createStopLadder(500)), ["stop", "echo", "echo", "force"]);
});

test("takes an echo window of 0 at its word", () => {
  assert.deepEqual([0, 0].map(createStopLadder(0)), ["stop", "force"]);
});

test("listens to the signals it is given, until it is told to stop", () => {
  const heard: string[] = [];
  const before = process.listenerCount("SIGHUP");
  const end = onStopSignals({
    signals: ["SIGHUP"],
    echoWindowMs: 0,
    stop: (signal) => heard.push(`stop ${signal}`),
    force: (signal) => heard.push(`force ${signal}`),
  });
  process.emit("SIGHUP", "SIGHUP");
  process.emit("SIGHUP", "SIGHUP");
  end();
  assert.deepEqual(heard, ["stop SIGHUP", "force SIGHUP"]);
  assert.equal(process.listenerCount("SIGHUP"), before);
});

test("refuses what it does not know", () => {
  const stop = (): void => {};
  assert.throws(() => onStopSignals({ stop, echoWindow: 1 } as object as { stop: () => void }), /echoWindowMs/);
  assert.throws(() => onStopSignals({ stop, echoWindowMs: -1 }), RangeError);
});
