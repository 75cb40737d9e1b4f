import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration-text.ts";

describe("parseDuration", () => {
  for (const [text, valueMs] of [
    ["0", 0],
    ["0s", 0],
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["0.5ms", 1],
  ] as const) {
    test(`reads ${text} as ${valueMs} ms`, () => assert.equal(parseDuration(text), valueMs));
  }

  for (const text of ["", "30", "s", "-1s", "1 s", "1S", "1us", "1h30", "30s ", "1e3s", "1..5s"]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }

  test("reads up to what a number holds, and refuses more", () => {
    assert.equal(parseDuration("9007199254740991ms"), Number.MAX_SAFE_INTEGER);
    assert.equal(parseDuration("9007199254740992ms"), undefined);
    assert.equal(parseDuration(`${"9".repeat(400)}h`), undefined);
  });

  test("reads back what formatDuration writes", () => {
    fc.assert(
      fc.property(fc.nat(86_400_000_000), (valueMs) => assert.equal(parseDuration(formatDuration(valueMs)), valueMs)),
    );
    assert.deepEqual([0, 1, 1000, 90_000, 60_000, 86_400_000].map(formatDuration), [
      "0",
      "1ms",
      "1s",
      "90s",
      "1m",
      "1d",
    ]);
  });
});
