import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("streams over the limit get further connections, or wait if no more are allowed", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "as many connections as it takes, up to ten: 5 of 5 on 3 connections",
    "at most one: 2 of 5 on 1 connections",
  ]);
});
