import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { splitStatements } from "./split-statements.ts";

describe("splitting SQL into statements", () => {
  const cases: readonly [name: string, text: string, statements: readonly string[]][] = [
    ["at semicolons", "SELECT 1; SELECT 2 ;\n", ["SELECT 1", "SELECT 2"]],
    ["and keeps a last one without a semicolon", "SELECT 1;\nSELECT 2", ["SELECT 1", "SELECT 2"]],
    ["and leaves out empty ones and mere comments", " ;; -- a; b\n /* c; */ ;", []],
    ["but not in quotes", `SELECT 'a;''b;' AS "x;""y";`, [`SELECT 'a;''b;' AS "x;""y"`]],
    ["but not after an escaped quote", "SELECT E'a\\';b', 'c\\'; SELECT 2", ["SELECT E'a\\';b', 'c\\'", "SELECT 2"]],
    ["and takes an e that ends a name for no escape", "SELECT name'\\'; SELECT 2", ["SELECT name'\\'", "SELECT 2"]],
    [
      "but not in comments, nested ones included",
      "SELECT /* a; /* b; */ c; */ 1 -- d;\n;SELECT 2",
      ["SELECT /* a; /* b; */ c; */ 1 -- d;", "SELECT 2"],
    ],
    [
      "but not in dollar quotes",
      "DO $$ BEGIN; END $$; DO $a_1$ x; $$ y; $a_1$; SELECT $1;",
      ["DO $$ BEGIN; END $$", "DO $a_1$ x; $$ y; $a_1$", "SELECT $1"],
    ],
    ["and takes a dollar within a name for no quote", "SELECT a$b$c; SELECT 2", ["SELECT a$b$c", "SELECT 2"]],
    ["and ends at the end of an open quote", "SELECT 'a; b", ["SELECT 'a; b"]],
    ["and ends at the end of an open comment", "SELECT 1; /* a; b", ["SELECT 1"]],
  ];
  for (const [name, text, statements] of cases) {
    it(`happens ${name}`, () => assert.deepEqual(splitStatements(text), statements));
  }

  it("takes time in proportion to the text", () => {
    const text = "SELECT 'x' || e'y';\n".repeat(20_000);
    assert.equal(splitStatements(text).length, 20_000);
  });
});
