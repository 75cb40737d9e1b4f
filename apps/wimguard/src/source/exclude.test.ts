import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createExcludes } from "./exclude.ts";

function isExcluded(patterns: string[], path: string, isFolder = false): boolean {
  return createExcludes(patterns).isExcluded(path, isFolder);
}

describe("createExcludes", () => {
  for (const [pattern, path, expected] of [
    ["*.tmp", "a.tmp", true],
    ["*.tmp", "x/y/a.tmp", true],
    ["*.tmp", "a.tmpx", false],
    ["/a", "a", true],
    ["/a", "x/a", false],
    ["x/a", "x/a", true],
    ["x/a", "y/x/a", false],
    ["**/a", "a", true],
    ["**/a", "x/y/a", true],
    ["x/**", "x", false],
    ["x/**", "x/y/z", true],
    ["x/**/a", "x/a", true],
    ["x/**/a", "x/y/z/a", true],
    ["x/**/a", "y/a", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["[]]x", "]x", true],
    ["[a", "[a", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["\\#a", "#a", true],
    ["\\!a", "!a", true],
    ["a\\ ", "a ", true],
    ["a ", "a", true],
    ["# a", "# a", false],
    ["", "", false],
    ["a*b*c", "aXbXbXc", true],
    ["a*b*c", "aXbXbX", false],
    ["*", "x/y", true],
  ] as const) {
    it(`${expected ? "excludes" : "keeps"} ${JSON.stringify(path)} under ${JSON.stringify(pattern)}`, () => {
      assert.equal(isExcluded([pattern], path), expected);
    });
  }

  it("applies a pattern that ends in a slash to folders only", () => {
    assert.equal(isExcluded(["build/"], "build", true), true);
    assert.equal(isExcluded(["build/"], "build", false), false);
  });

  it("lets the last pattern that matches decide", () => {
    assert.equal(isExcluded(["*.log", "!keep.log"], "keep.log"), false);
    assert.equal(isExcluded(["!keep.log", "*.log"], "keep.log"), true);
  });

  it("matches a long name against many stars in a moment", () => {
    const started = process.cpuUsage().user;
    assert.equal(isExcluded([`${"*a".repeat(100)}b`], "a".repeat(255)), false);
    assert.ok(process.cpuUsage().user - started < 1_000_000);
  });
});
