import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("refuses calls without a token, accepts users, and lets only admins forget greetings", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "[unauthenticated] the call carries no bearer token",
    "Hello, Ada!",
    "[permission_denied] the caller may not call this method",
  ]);
});
