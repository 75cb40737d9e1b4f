import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const skip = spawnSync("openssl", ["version"]).status !== 0 && "openssl, which makes certificates, is not installed";

test("accepts the program that the rule names, and refuses another one with a certificate of the same authority", {
  skip,
}, () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual(said.trimEnd().split("\n"), [
    "Hello, spiffe://example.org/shop/orders!",
    "[permission_denied] this workload may not call this method",
  ]);
});
