import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "./options.ts";
import { parseRoundOptions } from "./round-options.ts";

const defaults = { rounds: 5, seconds: 0.5 };
const known = ["small", "nested"];

describe("the command line of a benchmark in rounds", () => {
  it("has the defaults of the benchmark, and selects all without words", () => {
    assert.deepEqual(parseRoundOptions([], defaults, known), { chosen: [], rounds: 5, seconds: 0.5, json: false });
  });

  it("reads words in the known order, and numbers", () => {
    assert.deepEqual(
      parseRoundOptions(["nested", "small", "--rounds", "1", "--seconds=0.1", "--json"], defaults, known),
      {
        chosen: ["small", "nested"],
        rounds: 1,
        seconds: 0.1,
        json: true,
      },
    );
  });

  it("refuses unknown words, naming the nearest, and numbers that are not valid", () => {
    for (const [words, message] of [
      [["smal"], /did you mean "small"/],
      [["--round", "1"], /--round/],
      [["--rounds", "0"], /whole number/],
      [["--rounds", "1.5"], /whole number/],
      [["--seconds", "0"], /above 0/],
      [["--seconds", "x"], /above 0/],
      [["--seconds", "Infinity"], /above 0/],
    ] as const) {
      assert.throws(
        () => parseRoundOptions(words, defaults, known),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    }
    assert.throws(() => parseRoundOptions(["small"], defaults, []), /means nothing/);
  });
});
