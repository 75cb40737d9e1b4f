import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runClosedLoop } from "./closed-loop.ts";
import { overflow, runOpenLoop } from "./open-loop.ts";
import { milliseconds, Recorder } from "./recorder.ts";
import { dueTimes } from "./schedule.ts";

const signal = new AbortController().signal;

/** A server that holds all responses back until `goOn`, and none after that. */
function createStandstill() {
  let waiting: (() => void)[] = [];
  let isStanding = true;
  return {
    call: () =>
      new Promise<undefined>((resolve) => {
        if (isStanding) waiting.push(() => resolve(undefined));
        else resolve(undefined);
      }),
    get open() {
      return waiting.length;
    },
    goOn() {
      isStanding = false;
      for (const answer of waiting) answer();
      waiting = [];
    },
  };
}

describe("the open loop", () => {
  it("sends calls when they are due though none has ended, and counts their latency from then", async () => {
    const server = createStandstill();
    const recorder = new Recorder();
    const due = dueTimes([{ durationMs: 200, rate: 100 }]);
    const over = runOpenLoop(server.call, recorder, { due, warmupMs: 0, maxInFlight: 100, signal });
    while (recorder.counts.sent < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(server.open, 20);
    server.goOn();
    await over;
    assert.equal(recorder.counts.succeeded, 20);
    // The first has waited for all of the time, the last for none of it.
    assert.ok(milliseconds(recorder.timings.latency, 99) >= 180, "the standstill shows in the latency");
    assert.ok(milliseconds(recorder.timings.latency, 50) >= 80, "and in most of the calls");
  });

  it("counts a call over the limit in flight as an error, and does not wait", async () => {
    const server = createStandstill();
    const recorder = new Recorder();
    const due = dueTimes([{ durationMs: 50, rate: 200 }]);
    const over = runOpenLoop(server.call, recorder, { due, warmupMs: 0, maxInFlight: 3, signal });
    while (recorder.made < 10) await new Promise((resolve) => setTimeout(resolve, 1));
    server.goOn();
    await over;
    assert.deepEqual(
      [...recorder.counts.errors],
      [[overflow, { count: 7, firstMessage: "3 calls are already in flight" }]],
    );
    assert.equal(recorder.counts.succeeded, 3);
  });

  it("measures nothing that is due in the warm-up, and counts failures by their status, with the message of the first", async () => {
    const recorder = new Recorder();
    let calls = 0;
    const call = async () => (++calls > 15 ? { status: "UNAVAILABLE", message: `number ${calls}` } : undefined);
    const due = dueTimes([{ durationMs: 200, rate: 100 }]);
    await runOpenLoop(call, recorder, { due, warmupMs: 100, maxInFlight: 100, signal });
    assert.equal(calls, 20);
    assert.equal(recorder.counts.succeeded, 5);
    assert.deepEqual([...recorder.counts.errors], [["UNAVAILABLE", { count: 5, firstMessage: "number 16" }]]);
  });

  it("ends early when it is stopped", async () => {
    const controller = new AbortController();
    const recorder = new Recorder();
    const call = async (): Promise<undefined> => controller.abort() as undefined;
    const due = dueTimes([{ durationMs: 3_600_000, rate: 100 }]);
    await runOpenLoop(call, recorder, { due, warmupMs: 0, maxInFlight: 100, signal: controller.signal });
    assert.equal(recorder.made, 1);
  });
});

describe("the closed loop", () => {
  it("keeps as many calls open as it was told, each after the other, until the time is over", async (t) => {
    const recorder = new Recorder();
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    let open = 0;
    let most = 0;
    const call = async (): Promise<undefined> => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      nowMs += 5;
    };
    await runClosedLoop(call, recorder, { concurrency: 4, warmupMs: 0, totalMs: 100, signal });
    assert.equal(most, 4);
    assert.equal(open, 0);
    // Twenty calls take the time; when the last of them ends, three others are open.
    assert.equal(recorder.counts.succeeded, 23);
    assert.equal(recorder.counts.sent, 23);
  });
});
