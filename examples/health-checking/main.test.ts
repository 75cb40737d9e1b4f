import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("sends no calls to a server that reports NOT_SERVING, until it serves again", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "both serve: 5 and 5",
    "the first does not: 0 and 10",
    "it serves again: 5 and 5",
  ]);
});
