import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { formatDiff } from "./format-diff.ts";

function applyByGit(t: TestContext, path: string, before: string | undefined, diff: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-diff-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (before !== undefined) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), before);
  }
  execFileSync("git", ["apply", "-"], { cwd: folder, input: diff });
  return existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : "";
}

describe("differences", () => {
  const lines = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, at) => `${from + at}`);
  const text = (...parts: (string | string[])[]): string => `${parts.flat().join("\n")}\n`;
  const cases: readonly [name: string, before: string | undefined, after: string, hunks: number][] = [
    ["one line of many", text(lines(1, 20)), text(lines(1, 9), "ten", lines(11, 20)), 1],
    ["two lines far apart", text(lines(1, 30)), text("one", lines(2, 29), "thirty"), 2],
    [
      "two lines whose surroundings touch",
      text(lines(1, 30)),
      text(lines(1, 9), "x", lines(11, 16), "y", lines(18, 30)),
      1,
    ],
    ["lines added at the beginning and the end", text(lines(1, 20)), text("a", "b", lines(1, 20), "c"), 2],
    ["lines removed", text(lines(1, 20)), text(lines(3, 12), lines(16, 20)), 2],
    ["a new file", undefined, text("a", "b"), 1],
    ["all of a file", "a\nb\n", "c\n", 1],
  ];
  for (const [name, before, after, hunks] of cases) {
    it(`of ${name} are applied by git`, (t) => {
      const diff = formatDiff("src/file.txt", before, after);
      assert.equal(diff.match(/^@@ /gm)?.length, hunks, diff);
      assert.equal(applyByGit(t, "src/file.txt", before, diff), after);
    });
  }

  it("of texts that are equal are none", () => {
    assert.equal(formatDiff("a", "x\n", "x\n"), "");
  });
});
