import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTable, textColumns } from "./format.ts";

describe("formatTable", () => {
  it("aligns by the columns that a terminal needs, not by characters", () => {
    assert.equal(
      formatTable([
        ["NAME", "SIZE"],
        ["日本", "1 B"],
        ["e\u0301te\u0301", "2 B"],
        ["🦅", "3 B"],
      ]),
      ["NAME  SIZE", "日本  1 B", "e\u0301te\u0301   2 B", "🦅    3 B"].join("\n"),
    );
  });

  it("escapes what would move the cursor or begin another line", () => {
    assert.equal(formatTable([["a\nb\x1b[2J", "c"]]), "a\\u{a}b\\u{1b}[2J  c");
  });
});

describe("textColumns", () => {
  for (const [text, columns] of [
    ["", 0],
    ["plain", 5],
    ["ü", 1],
    ["漢字", 4],
    ["한국", 4],
  ] as const) {
    it(`is ${columns} for ${JSON.stringify(text)}`, () => assert.equal(textColumns(text), columns));
  }
});
