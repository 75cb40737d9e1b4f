import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../../logging/log.ts";
import { GrowingKeepalive } from "./growing-keepalive.ts";

function recordWarnings() {
  const warnings: { readonly message: string; readonly fields: unknown }[] = [];
  const refuse = (): never => assert.fail("only warnings are expected");
  const warn: Log["warn"] = (message, fields) => {
    warnings.push({ message, fields });
  };
  return { warnings, log: { debug: refuse, info: refuse, warn, error: refuse } };
}

test("doubles the time between pings with each GOAWAY that complains of too many", () => {
  const { log, warnings } = recordWarnings();
  const keepalive = new GrowingKeepalive({ timeMs: 10_000, timeoutMs: 5000 }, log);
  keepalive.onGoaway({ code: 11, debug: "too_many_pings" }, "10.0.0.1:443");
  assert.deepEqual(keepalive.current, { timeMs: 20_000, timeoutMs: 5000 });
  keepalive.onGoaway({ code: 11, debug: "too_many_pings" }, "10.0.0.2:443");
  assert.equal(keepalive.current?.timeMs, 40_000);
  const message = "the server ended a connection because of too many pings";
  assert.deepEqual(warnings, [
    { message, fields: { server: "10.0.0.1:443", keepaliveTimeMs: 20_000 } },
    { message, fields: { server: "10.0.0.2:443", keepaliveTimeMs: 40_000 } },
  ]);
});

test("leaves it as it is for any other end of a connection, and without keepalive", () => {
  const { log, warnings } = recordWarnings();
  const keepalive = new GrowingKeepalive({ timeMs: 10_000 }, log);
  keepalive.onGoaway({ code: 0, debug: "too_many_pings" }, "a:1");
  keepalive.onGoaway({ code: 11, debug: "too_many_resets" }, "a:1");
  assert.equal(keepalive.current?.timeMs, 10_000);
  assert.deepEqual(warnings, []);
  const none = new GrowingKeepalive(undefined, log);
  none.onGoaway({ code: 11, debug: "too_many_pings" }, "a:1");
  assert.equal(none.current, undefined);
  assert.deepEqual(
    warnings.map(({ fields }) => fields),
    [{ server: "a:1" }],
  );
});
