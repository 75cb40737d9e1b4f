import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { recordingLog } from "@tercel/test-support/calls";
import { startBackgroundTasks } from "./background-tasks.ts";

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

describe("a background task", () => {
  it("is started again when it fails, after pauses that grow to a minute", async () => {
    const clock = createFakeClock();
    const { log, logged } = recordingLog();
    let runs = 0;
    const tasks = startBackgroundTasks(
      {
        async sweep(signal) {
          if (++runs < 10) throw new Error("a bug");
          await untilAborted(signal);
        },
      },
      { clock, log },
    );
    await clock.advance(10 * 60_000);
    assert.equal(runs, 10);
    const pauses = logged.map(({ fields }) => fields.restartInMs as number);
    assert.ok(pauses[0] !== undefined && pauses[0] >= 800 && pauses[0] <= 1200);
    assert.ok(pauses.every((ms) => ms <= 72_000));
    assert.match(String(logged[0]?.fields.error), /^Error: a bug/);
    await tasks.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it("that has run for a minute is started again after the first pause", async () => {
    const clock = createFakeClock();
    const { log, logged } = recordingLog();
    let runs = 0;
    const tasks = startBackgroundTasks(
      {
        async sweep() {
          runs++;
          if (runs > 3) await new Promise<void>((resolve) => clock.after(60_000, resolve));
          throw new Error("a bug");
        },
      },
      { clock, log },
    );
    await clock.advance(20_000);
    await clock.advance(60_000);
    assert.ok((logged[3]?.fields.restartInMs as number) <= 1200);
    const stopped = tasks.stop();
    await clock.advance(60_000);
    await stopped;
  });

  it("that ends by itself is over", async () => {
    const clock = createFakeClock();
    const { log, logged } = recordingLog();
    const tasks = startBackgroundTasks({ async migrate() {} }, { clock, log });
    await clock.advance(60_000);
    assert.deepEqual(
      logged.map(({ message, fields }) => [message, fields.task]),
      [["background task done", "migrate"]],
    );
    await tasks.stop();
  });

  it("is waited for at the stop, in work and in a pause, and what it throws then is no failure", async () => {
    const clock = createFakeClock();
    const { log, logged } = recordingLog();
    const finished = Promise.withResolvers<void>();
    const tasks = startBackgroundTasks(
      {
        async slow(signal) {
          await untilAborted(signal);
          await finished.promise;
          signal.throwIfAborted();
        },
        async broken() {
          throw new Error("a bug");
        },
      },
      { clock, log },
    );
    await clock.advance(0);
    let isStopped = false;
    const stopped = tasks.stop().then(() => {
      isStopped = true;
    });
    await clock.advance(0);
    assert.equal(isStopped, false);
    finished.resolve();
    await stopped;
    assert.equal(logged.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });
});
