import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { ThreadTimes } from "./hang-watch.ts";
import { threadTimes } from "./thread-times.ts";

/** Returns the times of a thread with `program`, from its message until `isEnough`. */
async function timesUntil(program: string, isEnough: (passed: ThreadTimes) => boolean): Promise<ThreadTimes> {
  const worker = new Worker(program, { eval: true });
  try {
    await new Promise((resolve) => worker.once("message", resolve));
    const before = threadTimes(worker);
    for (;;) {
      await sleep(5);
      const now = threadTimes(worker);
      const passed = { cpuMs: now.cpuMs - before.cpuMs, idleMs: now.idleMs - before.idleMs };
      if (isEnough(passed)) return passed;
    }
  } finally {
    await worker.terminate();
  }
}

test("a computing thread uses CPU time and is not idle, although it does not respond", async () => {
  const passed = await timesUntil(
    'require("node:worker_threads").parentPort.postMessage("begun"); for (;;);',
    ({ cpuMs }) => cpuMs >= 50,
  );
  assert.equal(passed.idleMs, 0);
});

test("a waiting thread is idle and uses hardly any CPU time", async () => {
  const passed = await timesUntil(
    'const { parentPort } = require("node:worker_threads"); parentPort.on("message", () => {}); parentPort.postMessage("begun");',
    ({ idleMs }) => idleMs >= 500,
  );
  assert.ok(passed.cpuMs < passed.idleMs, `${passed.cpuMs} ms of the processor in ${passed.idleMs} ms`);
});
