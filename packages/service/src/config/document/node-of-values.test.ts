import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toPlain } from "./config-node.ts";
import { nodeOfValues } from "./node-of-values.ts";

describe("nodeOfValues", () => {
  test("takes what a file could say, and leaves out what is undefined", () => {
    const values = { a: { b: [1, "x", { c: false }], d: undefined }, e: null };
    assert.deepEqual(toPlain(nodeOfValues(values)), { a: { b: [1, "x", { c: false }] } });
  });

  for (const [what, value, kind] of [
    ["a function", () => {}, "a function"],
    ["a date", new Date(0), "an object of a class"],
    ["a bigint", 1n, "a bigint"],
  ] as const) {
    test(`refuses ${what} and names the key`, () => {
      assert.throws(
        () => nodeOfValues({ a: [{ b: value }] }),
        new TypeError(`a[0].b is ${kind}, which a configuration cannot contain`),
      );
    });
  }
});
