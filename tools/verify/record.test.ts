import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CheckRecord, findFigure, formatRecords, readRecords } from "./record.ts";

const fuzz: CheckRecord = {
  name: "fuzz",
  date: "2026-12-01",
  commit: "1a2b3c4",
  hasPassed: true,
  minutes: 9.5,
  figure: "60,000 inputs",
};

describe("the page of the last runs", () => {
  it("can be read again, in the order of the checks", () => {
    const mixed = { ...fuzz, name: "mixed", hasPassed: false, figure: "" };
    const page = formatRecords([mixed, fuzz], ["fuzz", "hpack", "mixed"]);
    assert.deepEqual(readRecords(page), [fuzz, mixed]);
  });

  it("keeps the last record of a check, and no record of a removed check", () => {
    const gone = { ...fuzz, name: "gone" };
    const page = formatRecords([fuzz, gone, { ...fuzz, commit: "5d6e7f8+" }], ["fuzz"]);
    assert.deepEqual(
      readRecords(page).map(({ name, commit }) => `${name} ${commit}`),
      ["fuzz 5d6e7f8+"],
    );
  });
});

describe("findFigure", () => {
  it("returns every match, or its group, without characters that would end a cell", () => {
    assert.equal(findFigure("1 call\n2 calls | of\t3\ndone\n", /^.*calls.*$/gm), "2 calls of 3");
    assert.equal(findFigure("unary 1\nunary 2\n", /unary (\d)/g), "1; 2");
  });

  it("returns the last line without a pattern, and nothing for empty output", () => {
    assert.equal(findFigure("a\nb\n\n"), "b");
    assert.equal(findFigure(""), "");
    assert.equal(findFigure("done\n", /\d/g), "");
    assert.equal(findFigure("1".repeat(200)).length, 160);
  });
});
