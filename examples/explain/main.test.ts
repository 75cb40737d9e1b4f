import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("the error and the channel explain why the call failed", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  const [message, phase, line, channel] = said.trimEnd().split("\n");
  assert.match(
    message ?? "",
    /^ConnectError: \[deadline_exceeded\] the deadline has passed while waiting for the response of 127/,
  );
  assert.match(phase ?? "", /^phase: first byte; endpoint: 127\.0\.0\.1:\d+$/);
  assert.match(line ?? "", /^\/grpc\.health\.v1\.Health\/Check at "127.* failed with DEADLINE_EXCEEDED after \d+ ms/);
  assert.match(channel ?? "", /^"127\.0\.0\.1:\d+": channel ready \(pick_first\); .* 1 succeeded, 1 failed/);
});
