import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDurationMs } from "./parse-duration.ts";

describe("parseDurationMs", () => {
  for (const [text, ms] of [
    ["30s", 30_000],
    ["250ms", 250],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["0s", 0],
    ["", undefined],
    ["30", undefined],
    ["-1s", undefined],
    ["1d", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${ms}`, () => assert.equal(parseDurationMs(text), ms));
  }
});
