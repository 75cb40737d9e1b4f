import assert from "node:assert/strict";
import { test } from "node:test";
import { callCount } from "./call-count.ts";

test("returns the calls of the rate in that time, the same number for each connection", () => {
  assert.equal(callCount(1000, 2, { connections: 10, streams: 10 }), 2000);
  assert.equal(callCount(1004, 1, { connections: 10, streams: 10 }), 1000);
  assert.equal(callCount(1005, 1, { connections: 10, streams: 10 }), 1010);
});

test("returns at least the calls in flight, even for a slow server", () => {
  assert.equal(callCount(3, 1, { connections: 10, streams: 4 }), 40);
});
