import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingKeepalive } from "./growing-keepalive.ts";

test("doubles the time between pings with each GOAWAY that complains of too many", () => {
  const keepalive = new GrowingKeepalive({ timeMs: 10_000, timeoutMs: 5000 });
  keepalive.onGoaway({ code: 11, debug: "too_many_pings" });
  assert.deepEqual(keepalive.current, { timeMs: 20_000, timeoutMs: 5000 });
  keepalive.onGoaway({ code: 11, debug: "too_many_pings" });
  assert.equal(keepalive.current?.timeMs, 40_000);
});

test("leaves it as it is for any other end of a connection, and without keepalive", () => {
  const keepalive = new GrowingKeepalive({ timeMs: 10_000 });
  keepalive.onGoaway({ code: 0, debug: "too_many_pings" });
  keepalive.onGoaway({ code: 11, debug: "too_many_resets" });
  assert.equal(keepalive.current?.timeMs, 10_000);
  const none = new GrowingKeepalive(undefined);
  none.onGoaway({ code: 11, debug: "too_many_pings" });
  assert.equal(none.current, undefined);
});
