import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const folder = import.meta.dirname;

test("creates a valid user, and names every invalid field of another", () => {
  const program = join(folder, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "users/ada@example.com",
    "email STRING_EMAIL",
    "name STRING_MIN_LEN",
    "labels[1] STRING_PATTERN",
  ]);
});
