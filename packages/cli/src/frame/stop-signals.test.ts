import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { it } from "node:test";
import { type SignalSource, Stopped, watchStopSignals } from "./stop-signals.ts";

function createSource() {
  const exits: number[] = [];
  const source = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  return { source: source as EventEmitter & SignalSource, exits };
}

it("lets a command end in good order at the first Ctrl-C, and ends the process at the second", () => {
  const { source, exits } = createSource();
  const controller = new AbortController();
  watchStopSignals(source, controller);
  source.emit("SIGINT");
  assert.ok(controller.signal.reason instanceof Stopped);
  assert.equal(controller.signal.reason.exitCode, 130);
  assert.deepEqual(exits, []);
  source.emit("SIGINT");
  assert.deepEqual(exits, [130]);
});

it("ends with 143 at SIGTERM, and listens no more when it is told so", () => {
  const { source } = createSource();
  const controller = new AbortController();
  const stop = watchStopSignals(source, controller);
  source.emit("SIGTERM");
  assert.equal(controller.signal.reason.exitCode, 143);
  stop();
  assert.deepEqual([source.listenerCount("SIGINT"), source.listenerCount("SIGTERM")], [0, 0]);
});

it("takes a signal that npm passes on for the echo of the first, and a later one for another", () => {
  const { source, exits } = createSource();
  let nowMs = 0;
  watchStopSignals(source, new AbortController(), { echoWindowMs: 500, nowMs: () => nowMs });
  source.emit("SIGINT");
  nowMs = 499;
  source.emit("SIGINT");
  assert.deepEqual(exits, []);
  nowMs = 500;
  source.emit("SIGINT");
  assert.deepEqual(exits, [130]);
});
