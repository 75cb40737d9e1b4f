import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "@tercel/test-support/programs";

test("all clients get all messages in the same order, until they leave", () => {
  assert.deepEqual(
    runProgram(join(import.meta.dirname, "main.ts"), [])
      .trimEnd()
      .split("\n"),
    [
      "Ada hears Ada: joined",
      "Ada hears Grace: joined",
      "Grace hears Grace: joined",
      "Grace hears Ada: Does it compile?",
      "Grace hears Grace: It found a moth.",
      "Ada hears Ada: Does it compile?",
      "Ada hears Grace: It found a moth.",
      "Ada's call has ended",
      "Grace hears Ada: left",
      "Grace's call has ended",
    ],
  );
});
