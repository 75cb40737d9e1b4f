import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("a call waits for the start of its server, and the next one for its restart", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "without waiting: Unavailable",
    "a call from before the server's start: status 1",
    "a call after its restart: status 1",
    "the channel is ready",
  ]);
});
