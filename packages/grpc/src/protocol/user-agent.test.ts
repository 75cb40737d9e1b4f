import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { userAgent } from "./user-agent.ts";

test("names the version of this package", () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.ok(typeof manifest === "object" && manifest !== null && "version" in manifest);
  assert.equal(userAgent, `grpc-tercel/${manifest.version}`);
});
