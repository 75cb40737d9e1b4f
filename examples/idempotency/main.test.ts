import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("takes a payment once per key, also across a restart, and accepts a key for one order only", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "taking payment 1, for order-1",
    "order-1 key-a is a new response",
    "order-1 key-a is a repeated response",
    "order-1 key-a is a repeated response",
    "order-2 key-a ConnectError: [failed_precondition] this idempotency key was used for another request; a new request needs a new key",
    "taking payment 2, for order-2",
    "order-2 key-b is a new response",
  ]);
});
