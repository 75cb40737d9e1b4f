import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { jsonText } from "./json-text.ts";
import { parseJson, toJsonValue } from "./parse-json.ts";

function read(text: string) {
  return toJsonValue(parseJson(jsonText("-d", text)));
}

function mistakeIn(text: string): string {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("the JSON parser", () => {
  it("reads whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        // Whole numbers that a double does not hold are read as texts, which another test shows.
        const isUnsafe = (part: unknown): boolean => Number.isInteger(part) && !Number.isSafeInteger(part);
        const value: unknown = JSON.parse(JSON.stringify(any), (_, part) => (isUnsafe(part) ? 0 : part));
        assert.deepEqual(read(JSON.stringify(value, undefined, 1)), value);
      }),
    );
  });

  it("refuses whatever JSON.parse refuses, and takes the rest", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[],:"\\ \n01.e-tnulaf'.split("")), maxLength: 12 }),
        (text) => {
          let isJson = true;
          try {
            JSON.parse(text);
          } catch {
            isJson = false;
          }
          if (!isJson) assert.notEqual(mistakeIn(text), "", JSON.stringify(text));
          // Names that are given twice are refused here and not there.
          else if (!/twice/.test(mistakeIn(text))) assert.equal(mistakeIn(text), "", JSON.stringify(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("keeps all digits of whole numbers", () => {
    assert.deepEqual(read('{"a": 9007199254740993, "b": 9007199254740991, "c": 1.5e300}'), {
      a: "9007199254740993",
      b: 9007199254740991,
      c: 1.5e300,
    });
  });

  it("says what is wrong and where", () => {
    assert.equal(mistakeIn("{name: 1}"), "-d:1:2: expected a field name in double quotes");
    assert.equal(mistakeIn('{"a" 1}'), '-d:1:6: expected a colon after "a"');
    assert.equal(mistakeIn('{"a": 1,}'), "-d:1:9: unexpected comma before }");
    assert.equal(mistakeIn('{"a": [1 2]}'), "-d:1:10: expected a comma or ]");
    assert.equal(mistakeIn('{"a": 1, "a": 2}'), '-d:1:10: duplicate key "a"');
    assert.equal(mistakeIn('{"a": Ada}'), '-d:1:7: invalid JSON "Ada": strings need double quotes');
    assert.equal(
      mistakeIn('{\n  "a": "x\n"}'),
      "-d:2:8: invalid string: not terminated, or with a line break or an invalid escape",
    );
    assert.equal(mistakeIn('{"a": 1} x'), "-d:1:10: unexpected text after the value");
    assert.equal(mistakeIn(""), "-d:1:1: unexpected end: expected a value");
    assert.equal(mistakeIn("'a'"), `-d:1:1: invalid JSON "'a'": strings need double quotes`);
  });

  it("keeps a name like __proto__ to itself", () => {
    const value = read('{"__proto__": {"x": 1}}') as object;
    assert.deepEqual(Object.keys(value), ["__proto__"]);
    assert.equal((value as { x?: number }).x, undefined);
  });

  it("refuses what is nested deeper than any message, instead of running out of stack", () => {
    assert.equal(mistakeIn("[".repeat(400) + "]".repeat(400)), "");
    assert.match(mistakeIn("[".repeat(100_000)), /nested more than 400 levels deep/);
  });
});
