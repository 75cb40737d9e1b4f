import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("opens the circuit after three failures, and closes it when a trial call succeeds", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "call 1 failed; the server said so",
    "call 2 failed; the server said so",
    "the circuit was closed and is open",
    "call 3 failed; the server said so",
    "call 4 failed; it was not sent; the error says when to try again",
    "call 5 failed; it was not sent; the error says when to try again",
    "calls that reached the server: 3",
    "the circuit was open and is half-open",
    "the circuit was half-open and is closed",
    "status 1",
  ]);
});
