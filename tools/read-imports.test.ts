import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readImports } from "./read-imports.ts";

function specifiers(source: string): (string | undefined)[] {
  return readImports(source).map((found) => found.specifier);
}

describe("readImports", () => {
  it("finds every form of import and export", () => {
    const source = `
      import a from "a";
      import b, { c as d } from 'b';
      import * as e from "e";
      import "f";
      import {
        g,
        type h,
      } from "g";
      export { i } from "i";
      export * from "j";
      export * as k from "k";
      const l = await import("l");
      const m = await import(\`m\`);
      import n from "n" with { type: "json" };
      import o, * as p from "o";
    `;
    assert.deepEqual(specifiers(source), ["a", "b", "e", "f", "g", "i", "j", "k", "l", "m", "n", "o"]);
  });

  it("distinguishes type-only imports from value imports", () => {
    const source = [
      'import type { A } from "type-1";',
      'import type B from "type-2";',
      'import type * as C from "type-3";',
      'import type from from "type-4";',
      'export type { D } from "type-5";',
      'export type * from "type-6";',
      'import { type E } from "value-1";',
      'import type from "value-2";',
      'import type, { F } from "value-3";',
    ].join("\n");
    for (const found of readImports(source)) {
      assert.equal(found.isTypeOnly, found.specifier?.startsWith("type-"), found.specifier);
    }
    assert.equal(readImports(source).length, 9);
  });

  it("names the line of the specifier", () => {
    const lines = readImports('/* one\n two */\nimport {\n  a,\n} from "a";\n\nawait import(\n"b");').map(
      (x) => x.line,
    );
    assert.deepEqual(lines, [5, 7]);
  });

  it("reports a dynamic import of a computed name as unknown", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test holds a template
    assert.deepEqual(specifiers("import(name); import(`./${name}.ts`); import('a' + b)"), [
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("skips comments, strings, templates and regular expressions", () => {
    const source = [
      '// import "no"',
      '/* import "no" */',
      "const a = 'import \"no\"';",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test holds a template
      'const b = `import "no" ${c + `import "no"`} import "no"`;',
      'const d = /import "no"/.test(e);',
      'const f = [/["`]/, /[/`]"/g];',
      'if (g) /"/.exec(h);',
      "const i = j / 2; const k = (l) / m; n[0] / 1;",
      'import "yes";',
    ].join("\n");
    assert.deepEqual(specifiers(source), ["yes"]);
  });

  it("finds an import inside a template's substitution", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test holds a template
    assert.deepEqual(specifiers("const a = `${await import('a')} ${ { b: `}` } }`; import 'c';"), ["a", "c"]);
  });

  it("ignores import.meta, members and exports without a source", () => {
    const source = [
      "import.meta.url;",
      "loader.import('no');",
      "const x = { import: 'no', export: 'no' };",
      "export { x };",
      "export const from = 'no';",
      "export type T = { from: 'no' };",
      "export default x;",
      "const from = 1;",
    ].join("\n");
    assert.deepEqual(specifiers(source), []);
  });

  it("continues after an unterminated string", () => {
    assert.deepEqual(specifiers("const a = 'open\nimport 'b';"), ["b"]);
  });

  it("skips the line that names the interpreter", () => {
    assert.deepEqual(specifiers("#!/usr/bin/env node '\nimport 'a';"), ["a"]);
  });
});
