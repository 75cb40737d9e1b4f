import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { startInProcess } from "../daemon/daemon-in-process.ts";

const program = join(import.meta.dirname, "../../src/command/program.ts");

describe("a command that makes a call", () => {
  it("does not load what Node makes fetch and Headers of", async (test) => {
    const { folders, address } = await startInProcess(test);
    const script = `
      import { runCommand } from ${JSON.stringify(program)};
      process.exitCode = await runCommand(${JSON.stringify(["list", "--server", address, "--dir", folders.data])});
      const names = process.moduleLoadList.filter((name) => /undici|http2/.test(name));
      console.log("loaded:", names.join(" "));
    `;
    const args = ["--conditions=source", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.equal(stdout, "no backups yet\nloaded: \n");
  });
});
