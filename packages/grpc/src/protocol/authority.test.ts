import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOfAuthority, isAuthority } from "./authority.ts";

test("the host of an authority has no port, brackets or zone", () => {
  for (const [authority, host] of [
    ["localhost:50051", "localhost"],
    ["localhost", "localhost"],
    ["orders.internal.:443", "orders.internal."],
    ["127.0.0.1:1", "127.0.0.1"],
    ["[::1]:1", "::1"],
    ["[::1]", "::1"],
    ["[fe80::1%25eth0]:1", "fe80::1"],
    ["user%20service%2F1", "user%20service%2F1"],
  ] as const) {
    assert.equal(hostOfAuthority(authority), host);
  }
});

test("an authority is a host, perhaps with a port", () => {
  for (const text of ["localhost", "a:1", "[::1]:1", "192.0.2.1:65535", "my_service", "a".repeat(512)]) {
    assert.equal(isAuthority(text), true, text);
  }
  for (const text of [
    "",
    ":1",
    "::1",
    "a:",
    "a:b",
    "a b",
    "a/b",
    "https://a",
    "user@a",
    "a\r\nb: c",
    "a".repeat(513),
    42,
  ]) {
    assert.equal(isAuthority(text), false, String(text));
  }
});
