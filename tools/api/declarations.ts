// Parses API Extractor's report of one entry point: its imports, and each declaration with its name.

export interface Declaration {
  readonly name: string;
  readonly isExported: boolean;
  /** TypeScript without comments; an overloaded function has a declaration for each overload. */
  readonly text: string;
}

export interface EntryDeclarations {
  readonly imports: readonly string[];
  /** The exported declarations, and others that a signature names. */
  readonly declarations: readonly Declaration[];
}

const declared =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|const|enum|function|interface|let|namespace|type|var) ([\w$]+)/;
const exportedAgain = /^export \{ (?:[\w$]+ as )?([\w$]+) \}/;

/** Parses a report. Throws if the report is incomplete, because of a statement without a name or a missing file. */
export function readDeclarations(report: string): EntryDeclarations {
  const code = /^```ts\n(.*)^```/ms.exec(report)?.[1];
  if (code === undefined) throw new Error("the report has no TypeScript");
  const imports: string[] = [];
  const declarations: Declaration[] = [];
  for (const block of withoutComments(code).split(/\n{2,}/)) {
    const text = block.trim();
    if (text === "") continue;
    if (text.startsWith("import ")) {
      // API Extractor treats a file that it does not find as another package.
      const missing = / from '(\..*)';$/m.exec(text)?.[1];
      if (missing !== undefined) throw new Error(`the declarations import ${missing}, which is missing`);
      // `import type` or `import` makes no difference to users.
      imports.push(...text.split("\n").map((line) => line.replace(/^import type /, "import ")));
      continue;
    }
    const name = (declared.exec(text) ?? exportedAgain.exec(text))?.[1];
    if (name === undefined) throw new Error(`the report has a statement without a name: ${text}`);
    declarations.push({ name, isExported: text.startsWith("export "), text });
  }
  return { imports, declarations };
}

/** Returns the imports that a text uses. */
export function usedImports(imports: readonly string[], text: string): string[] {
  const words = new Set(text.match(/[\w$]+/g));
  return imports.filter((line) => words.has(localName(line)));
}

/** Removes comments, which can change without the API. */
function withoutComments(code: string): string {
  return code.replace(/^[ \t]*\/\/.*\n/gm, "").replace(/^[ \t]*\/\*\*.*?\*\/\n/gms, "");
}

/** Returns the local name of an import. */
function localName(line: string): string {
  const names = /^import (.*) from /.exec(line)?.[1] ?? "";
  return /([\w$]+)(?: \})?$/.exec(names)?.[1] ?? "";
}
