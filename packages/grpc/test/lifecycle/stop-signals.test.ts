// S4: one signal drains, two force.
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";

const program = join(import.meta.dirname, "stop-signals-program.ts");

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the program has said this. */
  said(line: string): Promise<void>;
  readonly exit: Promise<[code: number | null, signal: string | null]>;
}

function start(): Started {
  const child = spawn(process.execPath, ["--conditions=source", program]);
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async said(expected) {
      const { value } = await lines.next();
      assert.equal(value, expected);
    },
    exit: once(child, "exit") as Started["exit"],
  };
}

describe("a server that is told to stop", () => {
  it("by one signal lets its calls end, and ends well", async () => {
    const { child, said, exit } = start();
    await said("called");
    child.kill("SIGTERM");
    await said("stopping for SIGTERM");
    child.stdin.write("go on\n");
    await said("answered");
    await said("stopped");
    assert.deepEqual(await exit, [0, null]);
  });

  it("by two signals ends at once, with the calls that still run", async () => {
    const { child, said, exit } = start();
    await said("called");
    child.kill("SIGTERM");
    await said("stopping for SIGTERM");
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [1, null]);
  });
});
