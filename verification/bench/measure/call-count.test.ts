import assert from "node:assert/strict";
import { test } from "node:test";
import { callCount } from "./call-count.ts";

test("as many calls as the rate makes in that time, the same number for each connection", () => {
  assert.equal(callCount(1000, 2, { connections: 10, streams: 10 }), 2000);
  assert.equal(callCount(1004, 1, { connections: 10, streams: 10 }), 1000);
  assert.equal(callCount(1005, 1, { connections: 10, streams: 10 }), 1010);
});

test("never fewer than the load has in flight, however slow the server is", () => {
  assert.equal(callCount(3, 1, { connections: 10, streams: 4 }), 40);
});
