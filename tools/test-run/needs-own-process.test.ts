import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { needsOwnProcess } from "./needs-own-process.ts";

describe("needsOwnProcess", () => {
  it("lets a file share a process that starts programs, opens sockets, or restores what it changes", () => {
    const source = `
      import { spawn } from "node:child_process";
      import { createServer } from "node:net";
      process.env.NAME = "x"; process.chdir("/"); process.emit("SIGTERM", "SIGTERM"); t.mock.timers.enable();
      // Own processes are started by each test.`;
    assert.equal(needsOwnProcess(source), undefined);
  });

  it("finds code that measures the process or depends on how it was started", () => {
    for (const source of [
      "const before = process.memoryUsage().heapUsed;",
      "process.cpuUsage()",
      "process.getActiveResourcesInfo()",
      'import { setFlagsFromString } from "node:v8";',
      'await import("node:v8")',
      'import { Worker } from "node:worker_threads";',
      "spawn(process.execPath, process.execArgv)",
      "process.exit(1)",
    ]) {
      assert.notEqual(needsOwnProcess(source), undefined, source);
    }
  });

  it("returns the reason in the file's comment", () => {
    assert.equal(needsOwnProcess("// Says hello.\n// Own process: counts warnings\n"), "counts warnings");
  });
});
