import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runDifferential } from "./differential/run.ts";
import { readInputs } from "./engine/corpus.ts";
import { loadTarget, targetNames } from "./engine/target.ts";

describe("the fuzzer's targets", () => {
  for (const name of targetNames) {
    test(`${name} passes with every input of its corpus`, async () => {
      const { fuzz } = await loadTarget(name);
      const inputs = readInputs(join(import.meta.dirname, "corpus", name));
      assert.ok(inputs.length > 0);
      for (const input of [new Uint8Array(0), ...inputs]) await fuzz(input);
    });
  }
});

test("Tercel's server responds like the server of node:http2", async () => {
  const { sessions, requests, difference } = await runDifferential(1, 1, 20);
  assert.equal(difference, undefined);
  assert.ok(sessions >= 20 && requests > sessions);
});
