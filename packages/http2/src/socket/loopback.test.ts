import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "./loopback.ts";

for (const address of ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"]) {
  test(`takes ${address} for this machine's own`, () => assert.ok(isLoopback(address)));
}

for (const address of [
  "0.0.0.0",
  "::",
  "126.255.255.255",
  "128.0.0.0",
  "10.127.0.1",
  "::ffff:10.0.0.1",
  "::2",
  "127:1::",
]) {
  test(`takes ${address} for one that others reach`, () => assert.ok(!isLoopback(address)));
}
