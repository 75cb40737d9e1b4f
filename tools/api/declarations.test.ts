import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readDeclarations, usedImports } from "./declarations.ts";

function report(code: string): string {
  return `## API Report File for "x"\n\n> Do not edit.\n\n\`\`\`ts\n\n${code}\n// (No @packageDocumentation comment)\n\n\`\`\`\n`;
}

describe("readDeclarations", () => {
  it("distinguishes exports from types that only a signature names", () => {
    const { declarations } = readDeclarations(
      report(
        "// @public\nexport function f(hidden: Hidden): void;\n\n// @public\ninterface Hidden {\n    a: string;\n}\n",
      ),
    );
    assert.deepEqual(declarations, [
      { name: "f", isExported: true, text: "export function f(hidden: Hidden): void;" },
      { name: "Hidden", isExported: false, text: "interface Hidden {\n    a: string;\n}" },
    ]);
  });

  it("finds every kind of declaration, and re-exports", () => {
    const code = [
      "export abstract class A {\n}",
      "export const b: string;",
      "export enum C {\n}",
      "export type $d = string;",
      "export { E }",
      "export { X as F }",
      "declare namespace g {\n}",
    ].join("\n\n");
    const { declarations } = readDeclarations(report(code));
    assert.deepEqual(
      declarations.map(({ name }) => name),
      ["A", "b", "C", "$d", "E", "F", "g"],
    );
  });

  it("omits comments, so a changed comment is not a changed API", () => {
    const code =
      '// @public (undocumented)\nexport type A =\n/** One. */\n"one"\n/**\n * Two.\n */\n| "two";\n\n// @public\nexport interface B {\n    // (undocumented)\n    url: "http://x/";\n}\n';
    assert.deepEqual(
      readDeclarations(report(code)).declarations.map(({ text }) => text),
      ['export type A =\n"one"\n| "two";', 'export interface B {\n    url: "http://x/";\n}'],
    );
  });

  it("reads imports of types and values alike", () => {
    const code = "import { A } from 'a';\nimport type { B } from 'b';\n\nexport { A }\n";
    assert.deepEqual(readDeclarations(report(code)).imports, ["import { A } from 'a';", "import { B } from 'b';"]);
  });

  it("refuses a statement without a name, such as `export *`", () => {
    assert.throws(() => readDeclarations(report("export * from 'other';\n")), /without a name: export \* from 'other'/);
  });
});

describe("usedImports", () => {
  it("keeps an import by its name in the text", () => {
    const imports = [
      "import { Clock as Clock_2 } from 'a';",
      "import * as whole from 'b';",
      "import byDefault from 'c';",
      "import { Code } from 'd';",
    ];
    assert.deepEqual(usedImports(imports, "a: Clock_2; b: whole.X; c: byDefault; d: Codec;"), imports.slice(0, 3));
  });
});
