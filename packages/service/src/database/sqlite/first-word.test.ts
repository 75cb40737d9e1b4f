import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { firstWord } from "./first-word.ts";

describe("the first word of a statement", () => {
  it("is found after white space and comments", () => {
    const texts = [
      "select 1",
      " \n\t SELECT 1",
      "-- a; b\nSELECT 1",
      "/* with * and / */SELECT(1)",
      "/**/ -- x\n /* y */ Select 1",
    ];
    for (const text of texts) assert.equal(firstWord(text), "SELECT", text);
  });

  it("is empty where there is none", () => {
    for (const text of ["", "  ", "-- SELECT 1", "/* SELECT 1", "(SELECT 1)", "1"])
      assert.equal(firstWord(text), "", text);
  });

  it("is found in no time after any amount of white space and comments", () => {
    assert.equal(
      firstWord(`${" ".repeat(100_000)}${"/* a */ ".repeat(20_000)}${"-- b\n".repeat(20_000)}WITH x`),
      "WITH",
    );
  });
});
