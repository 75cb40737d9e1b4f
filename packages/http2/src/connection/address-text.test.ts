import assert from "node:assert/strict";
import { test } from "node:test";
import { addressText } from "./address-text.ts";

test("puts IPv6 in brackets and shows IPv4 inside IPv6 as IPv4", () => {
  assert.equal(addressText("10.0.0.7", 4711), "10.0.0.7:4711");
  assert.equal(addressText("::ffff:10.0.0.7", 4711), "10.0.0.7:4711");
  assert.equal(addressText("::ffff:1", 4711), "[::ffff:1]:4711");
  assert.equal(addressText("2001:db8::1", 443), "[2001:db8::1]:443");
});

test("knows no address where one half is missing", () => {
  assert.equal(addressText(undefined, 1), undefined);
  assert.equal(addressText("10.0.0.7", undefined), undefined);
});
