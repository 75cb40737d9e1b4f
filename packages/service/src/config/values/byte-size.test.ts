import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { safeParse } from "valibot";
import { byteSize, parseByteSize } from "./byte-size.ts";

describe("parseByteSize", () => {
  for (const [value, bytes] of [
    [0, 0],
    [4_194_304, 4_194_304],
    ["4194304", 4_194_304],
    ["4MiB", 4_194_304],
    ["4 MiB", 4_194_304],
    ["1.5KiB", 1_536],
    ["10MB", 10_000_000],
    ["1kB", 1_000],
    ["1GiB", 1_073_741_824],
    ["7B", 7],
  ] as const) {
    test(`reads ${value} as ${bytes}`, () => assert.equal(parseByteSize(value), bytes));
  }

  for (const value of [-1, 1.5, Number.NaN, "", "MiB", "4mib", "4M", "-4MiB", "0.1B", "4MiB4"]) {
    test(`refuses ${JSON.stringify(value)}`, () => assert.equal(parseByteSize(value), undefined));
  }
});

test("byteSize() takes both bounds and refuses what is outside", () => {
  const schema = byteSize({ min: 10, max: 1024 });
  for (const value of [10, 1024, "1KiB"]) assert.equal(safeParse(schema, value).success, true);
  for (const value of [9, 1025, "2KiB", true, "many"]) {
    assert.equal(
      safeParse(schema, value).issues?.[0].message,
      "expected a size from 10 to 1024 bytes, such as 4194304 or 4MiB",
    );
  }
});
