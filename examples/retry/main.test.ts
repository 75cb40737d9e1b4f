import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("retries a failing call, until the throttle stops its retries", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  const expected = [
    "call 1, attempts before it: 0",
    "call 2, attempts before it: 1",
    "call 3, attempts before it: 2",
    "status 1",
    "call 4, attempts before it: 0",
    "call 5, attempts before it: 1",
    "ConnectError: [unavailable] warming up; not repeated: retries are throttled",
  ];
  assert.deepEqual(said.trimEnd().split("\n"), expected);
});
