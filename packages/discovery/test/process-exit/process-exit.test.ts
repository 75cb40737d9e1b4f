import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "@tercel/test-support/programs";

test("a client whose channel follows a registry exits after its call", async (t) => {
  const registry = await startProgram(t, join(import.meta.dirname, "server.ts")).line();
  const client = startProgram(t, join(import.meta.dirname, "client.ts"), [registry]);
  assert.deepEqual(await client.rest(), ["answered 1"]);
  assert.deepEqual(await client.ended, [0, null]);
});
