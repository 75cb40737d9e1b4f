import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { type ProgramStart, runProgram } from "./run-program.ts";

const never = new AbortController().signal;
const minuteMs = 60_000;

function shell(script: string, more: Partial<ProgramStart> = {}) {
  const start: ProgramStart = {
    engine: "tar",
    program: "sh",
    args: ["-c", script],
    async read(stdout) {
      for await (const _ of stdout);
    },
    ...more,
  };
  return runProgram(start, never);
}

function died(error: unknown, message: RegExp): boolean {
  assert.ok(error instanceof FailureError);
  assert.equal(error.failure.reason, "ENGINE_DIED");
  assert.match(error.message, message);
  return true;
}

describe("runProgram", () => {
  it("ends a program that neither reads nor writes for 30 minutes, and reports what it said last", async (test) => {
    test.mock.timers.enable({ apis: ["setTimeout"] });
    const said = Promise.withResolvers<void>();
    const ended = shell("echo 'waiting for a disk' >&2; exec sleep 1000", { onErrorLine: () => said.resolve() });
    await said.promise;
    test.mock.timers.tick(30 * minuteMs);
    await assert.rejects(ended, (error) =>
      died(error, /^sh did nothing for 30 minutes and was ended: waiting for a disk$/),
    );
  });

  it("reports the signal that ended a program, and its last 20 lines", async () => {
    const lines = Array.from({ length: 20 }, (_, at) => `line ${at + 6}`).join("; ");
    await assert.rejects(shell("for at in $(seq 25); do echo line $at >&2; done; kill -9 $$"), (error) =>
      died(error, new RegExp(`^sh was ended by SIGKILL: ${lines}$`)),
    );
  });
});
