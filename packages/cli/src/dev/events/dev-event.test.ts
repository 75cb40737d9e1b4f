import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logLine } from "@tercel/grpc/internal";
import { eventsOfLine, lifeEvent, noteEvent } from "./dev-event.ts";

const nowMs = Date.parse("2026-01-02T03:04:05.500Z");
const common = { version: 1, time: "2026-01-02T03:04:05.500Z", service: "user-service" } as const;

describe("what tercel dev tells other programs", () => {
  it("has the state of a service, without what is not known", () => {
    const status = { name: "user-service", address: "", state: "starting", restarts: 0, reason: "" } as const;
    assert.deepEqual(lifeEvent(status, nowMs), { ...common, type: "life", state: "starting", restarts: 0 });
    const known = { ...status, address: "127.0.0.1:50051", state: "not serving", reason: "postgres: away" } as const;
    assert.deepEqual(lifeEvent(known, nowMs), {
      ...common,
      type: "life",
      state: "not serving",
      address: "127.0.0.1:50051",
      restarts: 0,
      reason: "postgres: away",
    });
  });

  it("has each line as it was printed, and its level where it is one of a log", () => {
    assert.deepEqual(eventsOfLine("user-service", "plain", nowMs), [
      { ...common, type: "log", message: "plain", line: "plain" },
    ]);
    const line = logLine("warn", "slow", { durationMs: 12 });
    assert.deepEqual(eventsOfLine("user-service", line, nowMs), [
      { ...common, type: "log", level: "warn", message: "slow", line },
    ]);
  });

  it("has a span for the line of a call, which began as long before its end as it took", () => {
    const call = { side: "server", method: "user.v1.UserService/GetUser", status: "OK", durationMs: 1500 };
    const ids = { requestId: "r", traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    const time = "2026-01-02T03:04:05.000Z";
    const line = JSON.stringify({ time, level: "info", message: "call ended", ...call, ...ids });
    const [, span] = eventsOfLine("user-service", line, nowMs);
    assert.deepEqual(span, { ...common, time, type: "span", ...call, ...ids, startTime: "2026-01-02T03:04:03.500Z" });
    const [, untimed] = eventsOfLine("user-service", JSON.stringify({ message: "call ended", ...call }), nowMs);
    assert.deepEqual(untimed, { ...common, type: "span", ...call, startTime: "2026-01-02T03:04:04.000Z" });
  });

  it("has what tercel dev says itself", () => {
    assert.deepEqual(noteEvent("user-service", "error", "does not load", nowMs), {
      ...common,
      type: "note",
      level: "error",
      text: "does not load",
    });
  });
});
