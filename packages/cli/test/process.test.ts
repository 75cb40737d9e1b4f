// The program as a process: signals, pipes and exit codes.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createOccasion } from "@tercel/test-support/async";
import { startCommand } from "@tercel/test-support/programs";
import { ownVersion } from "../src/version.ts";
import { startLibrary } from "./library-server.ts";

const main = join(import.meta.dirname, "../src/main.ts");
const node = ["--conditions=source", main];

describe("the program as a process", () => {
  for (const { signal, code } of [
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
  ] as const) {
    it(`ends with ${code} at ${signal}, and cancels the call`, async (t) => {
      const called = createOccasion();
      const over = createOccasion();
      const { target } = await startLibrary(t, {
        onGetBook: () => {
          called.happen();
          return over.happened;
        },
      });
      const args = ["call", "LibraryService/GetBook", "-d", "id=7", "--target", target];
      const program = startCommand(t, process.execPath, [...node, ...args]);
      await called.happened;
      program.signal(signal);
      assert.deepEqual(await program.ended, [code, null]);
      over.happen();
    });
  }

  it("says which Node it needs, before it loads what an older one has not, and its version on any", () => {
    const older = 'data:text/javascript,Object.defineProperty(process, "version", { value: "v20.19.0" });';
    const run = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", older, ...node, ...args], {
        encoding: "utf8",
      });
      return [status, stdout, stderr];
    };
    const problem = "error: Node v20.19.0 is older than 22.18\nhint: install Node 22.18 or newer\n";
    assert.deepEqual(run("new", "user-service"), [1, "", problem]);
    assert.deepEqual(run("--version"), [0, `${ownVersion()}\n`, ""]);
  });

  it("ends with 0 when no one reads its output any more", async (t) => {
    const { target } = await startLibrary(t);
    const args = ["call", "LibraryService/ListBooks", "-d", "count=1000000", "--target", target];
    const child = spawn(process.execPath, [...node, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    child.stdout.destroy();
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  it("reads standard input as it comes, and ends when the call does though the input stays open", async (t) => {
    const { target } = await startLibrary(t);
    const program = startCommand(t, process.execPath, [...node, "call", "LibraryService/Echo", "--target", target]);
    program.say('{"text": "one"}');
    assert.equal(await program.line(), '{"text":"one"}');
    program.say('{"txt": "two"}');
    assert.deepEqual(await program.ended, [4, null]);
  });
});
