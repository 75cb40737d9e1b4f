import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "@tercel/test-support/programs";

test("starts both services in the order of their dependencies, and stops them at SIGINT", async (t) => {
  const program = startProgram(t, join(import.meta.dirname, "together.ts"), [], {
    TERCEL__SERVICE__HOST: "127.0.0.2",
  });
  const ready: string[] = [];
  while (ready.length < 2) {
    const { message, service } = JSON.parse(await program.line()) as { message: string; service: string };
    if (message === "ready") ready.push(service);
  }
  assert.deepEqual(ready, ["hello-service", "polite-service"]);
  program.signal("SIGINT");
  assert.deepEqual(await program.ended, [0, null]);
});
