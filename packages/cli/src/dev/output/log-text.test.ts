import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logLine } from "@tercel/grpc/internal";
import { isBackgroundCall, ownRequestId, parseLogLine } from "./log-text.ts";

describe("a line of a service", () => {
  it("is read where it is one of the kit's log", () => {
    const line = logLine("warn", "slow call", { service: "user-service", method: "a/b", durationMs: 12 });
    const { time, ...rest } = parseLogLine(line);
    assert.deepEqual(rest, { level: "warn", message: "slow call", fields: " method=a/b durationMs=12" });
    const now = new Date();
    assert.match(time, /^\d\d:\d\d:\d\d\.\d\d\d$/);
    assert.ok([now.getHours(), (now.getHours() + 23) % 24].includes(Number(time.slice(0, 2))));
  });

  it("is read where it is pino's", () => {
    const { level, message, fields } = parseLogLine(
      '{"level":50,"time":1700000000000,"pid":7,"hostname":"h","msg":"failed","code":13}',
    );
    assert.deepEqual({ level, message, fields }, { level: "error", message: "failed", fields: " code=13" });
  });

  it("shows a field of several lines below the message, as a stack is", () => {
    const { fields } = parseLogLine('{"level":"error","message":"failed","stack":"Error: x\\n    at y","n":1}');
    assert.equal(fields, "\n  stack: Error: x\n      at y n=1");
  });

  it("is shown as it is where it is anything else", () => {
    for (const line of ["plain text", "{", "[1]", '{"a":1}', "", '{"message":5}', "null"]) {
      assert.deepEqual(parseLogLine(line), { time: "", level: undefined, message: line, fields: "" });
    }
  });

  it("need not have a time or a known level", () => {
    assert.deepEqual(parseLogLine('{"message":"m","level":"loud","time":"soon"}'), {
      time: "",
      level: undefined,
      message: "m",
      fields: "",
    });
  });
});

it("knows calls that no one has made who works on the service", () => {
  const line = (fields: object): string => logLine("info", "call ended", { ...fields });
  assert.ok(isBackgroundCall(line({ method: "grpc.health.v1.Health/Watch" })));
  assert.ok(isBackgroundCall(line({ method: "user.v1.UserService/ListUsers", requestId: ownRequestId })));
  assert.ok(!isBackgroundCall(line({ method: "user.v1.UserService/ListUsers", requestId: "7" })));
  assert.ok(!isBackgroundCall('plain text with "method"'));
});
