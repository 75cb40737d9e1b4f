import assert from "node:assert/strict";
import { it } from "node:test";
import { statusLines } from "./status-lines.ts";

it("shows a service in each line: address, health, restarts, and why it is not ready", () => {
  const lines = statusLines(
    [
      { name: "user-service", address: "127.0.0.1:50051", state: "serving", restarts: 0, reason: "" },
      {
        name: "order",
        address: "127.0.0.1:50052",
        state: "not serving",
        restarts: 2,
        reason: "payment v1: no instance",
      },
      { name: "payment", address: "", state: "starting", restarts: 1, reason: "" },
    ],
    (_style, text) => text,
  );
  assert.deepEqual(lines, [
    "user-service  127.0.0.1:50051  ● serving",
    "order         127.0.0.1:50052  ● not serving  2 restarts  payment v1: no instance",
    "payment                        ● starting     1 restart",
  ]);
});
