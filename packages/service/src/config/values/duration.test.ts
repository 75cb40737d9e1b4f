import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { safeParse } from "valibot";
import { duration } from "./duration.ts";

describe("duration()", () => {
  const schema = duration({ minMs: 1000, maxMs: 60_000 });
  const messageOf = (value: unknown): string | undefined => safeParse(schema, value).issues?.[0].message;

  test("takes both bounds and refuses what is outside", () => {
    for (const text of ["1s", "60s", "1m"]) assert.equal(safeParse(schema, text).success, true, text);
    for (const text of ["999ms", "60001ms", "0"]) {
      assert.equal(messageOf(text), "expected a duration from 1s to 1m, such as 30s");
    }
  });

  test("asks for a unit where there is none", () => {
    for (const value of [30, "30", "1.5"]) assert.equal(messageOf(value), 'add a unit: "30s"');
  });

  test("says what it is for anything else", () => {
    for (const value of ["soon", true, null, {}]) assert.match(messageOf(value) ?? "", /^expected a duration/);
  });
});
