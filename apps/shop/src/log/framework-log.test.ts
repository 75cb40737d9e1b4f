import assert from "node:assert/strict";
import { test } from "node:test";
import { toCallLog, toFrameworkLog } from "./framework-log.ts";
import { createJsonLog } from "./json-log.ts";

function recording() {
  const records: Record<string, unknown>[] = [];
  const log = createJsonLog("shop", (line) => {
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(typeof time, "string");
    records.push(rest);
  });
  return { log, records };
}

test("what the framework says is an event with its message and fields", () => {
  const { log, records } = recording();
  const framework = toFrameworkLog(log, "registry");
  framework.debug("unimportant");
  framework.warn("a watch broke off", { attempt: 2, error: new TypeError("no route") });
  assert.equal(records.length, 1);
  const { error, ...record } = records[0] ?? {};
  assert.deepEqual(record, {
    level: "warn",
    service: "shop",
    event: "registry",
    message: "a watch broke off",
    attempt: 2,
  });
  assert.match(String(error), /^TypeError: no route\n {4}at /);
});

test("a call is one line with its fields", () => {
  const { log, records } = recording();
  const calls = toCallLog(log);
  assert.equal(calls.isLevelEnabled?.("debug"), false);
  calls.info("call ended", { method: "user.v1.UserService/GetUser", status: "OK" });
  const fields = { method: "user.v1.UserService/GetUser", status: "OK", message: "call ended" };
  assert.deepEqual(records, [{ level: "info", service: "shop", event: "call", ...fields }]);
});
