// The tables in docs/specs name tests. Each test must exist and run.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { readSpecRows, rowProblem } from "./spec-rows.ts";

const root = dirname(dirname(import.meta.dirname));
const pages = globSync("docs/specs/*.md", { cwd: root }).sort();

describe("the tests that the tables of docs/specs name", () => {
  it("are on existing pages", () => {
    assert.ok(pages.includes("docs/specs/limits.md"));
  });

  for (const page of pages) {
    it(`exist and run (${page})`, () => {
      const rows = readSpecRows(readFileSync(join(root, page), "utf8"));
      assert.ok(rows.length > 0, `${page} names no test in the form that is understood here`);
      const problems = rows.map((row) => {
        const file = join(root, row.file);
        return rowProblem(row, existsSync(file) ? readFileSync(file, "utf8") : undefined);
      });
      assert.deepEqual(
        problems.filter((problem) => problem !== undefined),
        [],
      );
    });
  }
});
