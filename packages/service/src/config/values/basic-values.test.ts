import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type GenericSchema, safeParse } from "valibot";
import { choice, flag, port, share, text, url, wholeNumber } from "./basic-values.ts";

const cases: readonly [
  what: string,
  schema: GenericSchema,
  taken: readonly unknown[],
  refused: readonly unknown[],
  message: string,
][] = [
  ["port", port(), [0, 65_535], [-1, 65_536, 1.5, "80", null], "expected a number from 0 to 65535"],
  ["wholeNumber", wholeNumber(2, 5), [2, 5], [1, 6, 2.5, "3", Number.NaN], "expected a whole number from 2 to 5"],
  ["share", share(), [0, 0.1, 1], [-0.1, 1.1, "1"], "expected a number from 0 to 1"],
  ["flag", flag(), [true, false], ["yes", 1, "true"], "expected true or false"],
  ["choice", choice(["a", "b"]), ["a", "b"], ["c", "", 1], "expected one of a, b"],
  ["text", text({ minLength: 1, maxLength: 3 }), ["a", "abc"], ["", "abcd", 1], "expected text"],
  ["text with a pattern", text({ pattern: /^a/, expects: "an a" }), ["a"], ["b"], "expected an a"],
  [
    "url",
    url(["http", "https"]),
    ["http://a", "https://a/b"],
    ["ftp://a", "a", "http://", 1],
    "expected a URL that begins with http: or https:",
  ],
];

for (const [what, schema, taken, refused, message] of cases) {
  describe(what, () => {
    for (const value of taken) {
      test(`takes ${JSON.stringify(value)}`, () => assert.deepEqual(safeParse(schema, value).output, value));
    }
    for (const value of refused) {
      test(`refuses ${String(value)} (${typeof value}) and says what it is`, () => {
        assert.equal(safeParse(schema, value).issues?.[0].message, message);
      });
    }
  });
}
