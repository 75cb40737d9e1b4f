import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pairsOf, pairwise, productOf } from "./pairwise.ts";

describe("the pairs of parameters", () => {
  it("are all in a small number of rows", () => {
    // The same numbers of values as the flags of tercel new.
    const parameters = Object.fromEntries(
      [3, 3, 3, 2, 3, 5, 2].map((count, at) => [`flag${at}`, Array.from({ length: count }, (_, value) => `${value}`)]),
    );
    const rows = pairwise(parameters);
    const all = new Set(productOf(parameters).flatMap(pairsOf));
    assert.deepEqual(new Set(rows.flatMap(pairsOf)), all);
    assert.ok(rows.length <= 20, `${rows.length} rows`);
  });

  it("are all combinations of two parameters, and one row for each value of a single parameter", () => {
    assert.deepEqual(pairwise({ a: ["1", "2"], b: ["x", "y"] }), [
      { a: "1", b: "x" },
      { a: "1", b: "y" },
      { a: "2", b: "x" },
      { a: "2", b: "y" },
    ]);
    assert.deepEqual(pairsOf({ a: "1", b: "x", c: "p" }), ["a=1 b=x", "a=1 c=p", "b=x c=p"]);
  });
});
