import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { safeParse } from "valibot";
import { duration, formatDuration, parseDuration } from "./duration.ts";

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

describe("duration()", () => {
  const schema = duration({ minMs: 1000, maxMs: 60_000 });
  const messageOf = (value: unknown): string | undefined => safeParse(schema, value).issues?.[0].message;

  test("takes both bounds and refuses what is outside", () => {
    for (const text of ["1s", "60s", "1m"]) assert.equal(safeParse(schema, text).success, true, text);
    for (const text of ["999ms", "60001ms", "0"]) {
      assert.equal(messageOf(text), "it is a duration from 1s to 1m, such as 30s");
    }
  });

  test("asks for a unit where there is none", () => {
    for (const value of [30, "30", "1.5"]) assert.equal(messageOf(value), 'say a unit: "30s"');
  });

  test("says what it is for anything else", () => {
    for (const value of ["soon", true, null, {}]) assert.match(messageOf(value) ?? "", /^it is a duration/);
  });
});
