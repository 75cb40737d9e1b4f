import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSpecRows, rowProblem } from "./spec-rows.ts";

describe("readSpecRows", () => {
  it("reads only the rows that name a test", () => {
    const page = "| promise | file | test |\n|---|---|---|\n| keeps | `a/b.test.ts` | keeps it |\n| x | `a.ts` | y |\n";
    assert.deepEqual(readSpecRows(page), [{ file: "a/b.test.ts", name: "keeps it" }]);
  });
});

describe("rowProblem", () => {
  const problem = (text: string | undefined) => rowProblem({ file: "a.test.ts", name: "keeps it" }, text);

  it("is undefined for a test that runs, and for one that is skipped only if a program is missing", () => {
    assert.equal(problem('it("always keeps it", () => {});'), undefined);
    assert.equal(problem('it.skip("another", () => {});\nit("keeps it", { timeout: 5 }, () => {});'), undefined);
    assert.equal(problem('it("keeps it", { skip: reason }, () => {});'), undefined);
  });

  it("reports a missing file or test", () => {
    assert.equal(problem(undefined), "a.test.ts does not exist");
    assert.equal(problem('it("loses it", () => {});'), 'a.test.ts has no test "keeps it"');
  });

  it("reports a test that never runs", () => {
    for (const text of [
      'it.skip("keeps it", () => {});',
      'test.todo("keeps it");',
      'it("keeps it", { skip: true }, () => {});',
      'it("keeps it", { timeout: 5, todo: "later" }, () => {});',
    ]) {
      assert.equal(problem(text), 'a.test.ts: "keeps it" is skipped', text);
    }
  });
});
