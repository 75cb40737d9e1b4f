import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("calls instances by version and metadata, and another zone only while no instance in its own responds", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "version=v1: v1 in a",
    "metadata.tier=gold: v2 in a",
    "v2, preferably in zone a: v2 in a",
    "and when that is gone: v2 in a, v2 in b",
  ]);
});
