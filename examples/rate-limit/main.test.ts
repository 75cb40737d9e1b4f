import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("refuses the fourth call within a minute, and says when to retry", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "Hello!",
    "Hello!",
    "Hello!",
    "[resource_exhausted] no more than 3 requests a minute { requestsPerUnit: 3, unit: 'minute' }",
    "come back within a minute",
  ]);
});
