import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findJsonProblem } from "./json-syntax.ts";

describe("findJsonProblem", () => {
  for (const [text, place] of [
    ["", "1:1 a value"],
    ["{", "1:2 a name in double quotes"],
    ["{a:1}", "1:2 a name in double quotes"],
    ['{"a" 1}', "1:6 a colon"],
    ['{"a":1,}', "1:8 a name in double quotes"],
    ['{\n  "a": 1\n  "b": 2\n}', "3:3 a comma or }"],
    ["[1 2]", "1:4 a comma or ]"],
    ["[01]", "1:3 a comma or ]"],
    ['"a', "1:1 a string that ends, with valid escapes"],
    ['"\\x"', "1:1 a string that ends, with valid escapes"],
    ['"\n"', "1:1 a string that ends, with valid escapes"],
    ["{} x", "1:4 the end of the body"],
    ["tru", "1:1 a value"],
    ["truely", "1:1 a value"],
    ["NaN", "1:1 a value"],
    ["'a'", "1:1 a value"],
  ] as const) {
    it(`finds the error in ${JSON.stringify(text)} at ${place}`, () => {
      assert.throws(() => JSON.parse(text));
      const problem = findJsonProblem(text);
      assert.equal(`${problem?.line}:${problem?.column} ${problem?.expected}`, place);
    });
  }

  it("finds no error in text that JSON.parse accepts", () => {
    for (const text of ['{"a":[1,-2.5e+3,true,null,"\\u00e9\\n"],"b":{}}', " [ ] ", "0", '"x"', "false"]) {
      JSON.parse(text);
      assert.equal(findJsonProblem(text), undefined, text);
    }
  });
});
