import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("each policy chooses servers as described", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "round_robin, three calls: one three two",
    "least_request, 300 calls at once: no server has over 110",
    "ring_hash: ten calls of one user reach 1 server, those of a hundred users 3",
  ]);
});
