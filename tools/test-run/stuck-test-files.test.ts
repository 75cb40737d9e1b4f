import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, it } from "node:test";
import { markerVariable } from "./marked-processes.ts";
import { endStuckTestFiles } from "./stuck-test-files.ts";

/** Starts a process that never returns to its event loop, with the arguments of a test file. */
function startSpinning(marker: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, ["-e", "for (;;);", "--", ...args], {
    stdio: "ignore",
    env: { ...process.env, [markerVariable]: marker },
  });
}

describe("endStuckTestFiles", () => {
  const onLinux = { skip: process.platform !== "linux" && "only Linux shows the environment of a process" };

  it("ends a test file that loops endlessly, and only that", onLinux, async () => {
    const marker = randomUUID();
    const stuck = startSpinning(marker, "a/stuck.test.ts");
    const others = [
      startSpinning(marker, "a/program.ts"),
      startSpinning(marker, "--test", "a/runner.test.ts"),
      startSpinning(randomUUID(), "a/other-run.test.ts"),
    ];
    const ended: string[] = [];
    const stop = endStuckTestFiles({ marker, limitMs: 0, everyMs: 20, onEnded: (file) => ended.push(file) });
    try {
      const [, signal] = await once(stuck, "exit");
      assert.equal(signal, "SIGKILL");
      assert.ok(ended.length > 0 && ended.every((file) => file === "a/stuck.test.ts"), ended.join());
      assert.deepEqual(
        others.map((child) => child.exitCode ?? child.signalCode),
        [null, null, null],
      );
    } finally {
      stop();
      for (const child of [stuck, ...others]) child.kill("SIGKILL");
    }
  });

  it(
    "ends the process of a file that loops endlessly after others that have ended in the same process",
    onLinux,
    async () => {
      const marker = randomUUID();
      const titles = 'process.title = "a/quick.test.ts"; process.title = "a/stuck.test.ts"; for (;;);';
      const group = spawn(process.execPath, ["-e", titles, "--", "a/group-1.mjs"], {
        stdio: "ignore",
        env: { ...process.env, [markerVariable]: marker },
      });
      const ended: string[] = [];
      const stop = endStuckTestFiles({ marker, limitMs: 0, everyMs: 20, onEnded: (file) => ended.push(file) });
      try {
        const [, signal] = await once(group, "exit");
        assert.equal(signal, "SIGKILL");
        assert.equal(ended.at(-1), "a/stuck.test.ts");
      } finally {
        stop();
        group.kill("SIGKILL");
      }
    },
  );

  it("does not end a test file before its time limit", onLinux, async () => {
    const [marker, lateMarker] = [randomUUID(), randomUUID()];
    const early = startSpinning(marker, "a/early.test.ts");
    const late = startSpinning(lateMarker, "a/late.test.ts");
    const ended: string[] = [];
    const onEnded = (file: string) => ended.push(file);
    const stopPatient = endStuckTestFiles({ marker, limitMs: 60_000, everyMs: 5, onEnded });
    const stopStrict = endStuckTestFiles({ marker: lateMarker, limitMs: 0, everyMs: 50, onEnded });
    try {
      // When the strict watch has ended its file, the patient one has checked its own several times.
      await once(late, "exit");
      assert.deepEqual([early.exitCode, early.signalCode], [null, null]);
      assert.ok(!ended.includes("a/early.test.ts"));
    } finally {
      stopPatient();
      stopStrict();
      for (const child of [early, late]) child.kill("SIGKILL");
    }
  });
});
