// What API Extractor's report of one entry point says, as values: its imports, and each declaration with its name.

export interface Declaration {
  readonly name: string;
  readonly isExported: boolean;
  /** TypeScript without comments; an overloaded function has a declaration for each overload. */
  readonly text: string;
}

export interface EntryDeclarations {
  readonly imports: readonly string[];
  /** Those that are exported, and those that are not but that a signature names. */
  readonly declarations: readonly Declaration[];
}

const declared =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|const|enum|function|interface|let|namespace|type|var) ([\w$]+)/;
const exportedAgain = /^export \{ (?:[\w$]+ as )?([\w$]+) \}/;

/** Reads the report; throws when the report would be incomplete: on a statement without a name, on a file that is missing. */
export function readDeclarations(report: string): EntryDeclarations {
  const code = /^```ts\n(.*)^```/ms.exec(report)?.[1];
  if (code === undefined) throw new Error("the report has no TypeScript");
  const imports: string[] = [];
  const declarations: Declaration[] = [];
  for (const block of withoutComments(code).split(/\n{2,}/)) {
    const text = block.trim();
    if (text === "") continue;
    if (text.startsWith("import ")) {
      // API Extractor takes for another package what it does not find.
      const missing = / from '(\..*)';$/m.exec(text)?.[1];
      if (missing !== undefined) throw new Error(`the declarations import ${missing}, which is missing`);
      // Whether a declaration file imports the type alone does not matter to who uses it.
      imports.push(...text.split("\n").map((line) => line.replace(/^import type /, "import ")));
      continue;
    }
    const name = (declared.exec(text) ?? exportedAgain.exec(text))?.[1];
    if (name === undefined) throw new Error(`the report has a statement without a name: ${text}`);
    declarations.push({ name, isExported: text.startsWith("export "), text });
  }
  return { imports, declarations };
}

/** The imports that a text uses. */
export function usedImports(imports: readonly string[], text: string): string[] {
  const words = new Set(text.match(/[\w$]+/g));
  return imports.filter((line) => words.has(localName(line)));
}

/** A comment can change without the API: what it promises is read in the source. */
function withoutComments(code: string): string {
  return code.replace(/^[ \t]*\/\/.*\n/gm, "").replace(/^[ \t]*\/\*\*.*?\*\/\n/gms, "");
}

/** The name that a file gives to what it imports. */
function localName(line: string): string {
  const names = /^import (.*) from /.exec(line)?.[1] ?? "";
  return /([\w$]+)(?: \})?$/.exec(names)?.[1] ?? "";
}
