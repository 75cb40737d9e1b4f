import { dirname, resolve } from "node:path";
import { maskSource } from "./mask-source.ts";

/** A parsed TypeScript source. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** The text with blanks for strings and comments. */
  readonly masked: string;
  readonly statements: readonly ImportStatement[];
  /** Imported names, by their local name. */
  readonly imports: ReadonlyMap<string, ImportedName>;
}

/** An import at the top of a file. */
export interface ImportStatement {
  readonly start: number;
  /** Position after its line. */
  readonly end: number;
  /** The module specifier: `./users.ts`. */
  readonly from: string;
  /** Text between its braces; undefined without braces. */
  readonly names: string | undefined;
  /** Whether it is `import type`, which cannot import values. */
  readonly isTypeOnly: boolean;
}

export interface ImportedName {
  /** Its name in the module. */
  readonly name: string;
  /** The module specifier: `./users.ts`. */
  readonly from: string;
}

export function createSourceFile(path: string, text: string): SourceFile {
  const masked = maskSource(text);
  const statements = importStatements(text, masked);
  return { path, text, masked, statements, imports: new Map(statements.flatMap(importedNames)) };
}

function importStatements(text: string, masked: string): ImportStatement[] {
  return [...masked.matchAll(/^import\b/gm)].flatMap((found): ImportStatement[] => {
    const start = found.index;
    const open = masked.slice(start).search(/["']/);
    const head = masked.slice(start + "import".length, start + open).trim();
    // import(…) is an expression.
    if (open === -1 || head.startsWith("(")) return [];
    const quote = start + open;
    const close = masked.indexOf(masked[quote] as string, quote + 1);
    const newline = masked.indexOf("\n", close);
    const [first, last] = [head.indexOf("{"), head.lastIndexOf("}")];
    return [
      {
        start,
        end: newline === -1 ? text.length : newline + 1,
        from: text.slice(quote + 1, close),
        names: first === -1 ? undefined : head.slice(first + 1, last),
        isTypeOnly: /^type[\s{]/.test(head),
      },
    ];
  });
}

function importedNames({ names = "", from }: ImportStatement): (readonly [string, ImportedName])[] {
  return names.split(",").flatMap((each) => {
    const words = each.trim().split(/\s+/);
    if (words[0] === "type" && words.length > 1) words.shift();
    const [name = "", as, local = name] = words;
    return name === "" ? [] : [[as === undefined ? name : local, { name, from }] as const];
  });
}

/** Returns the absolute path of a relative import, without its extension; undefined for a package. */
export function importedPath(file: SourceFile, from: string): string | undefined {
  return from.startsWith(".") ? withoutEnding(resolve(dirname(file.path), from)) : undefined;
}

export function withoutEnding(path: string): string {
  return path.replace(/\.[mc]?[jt]s$/, "");
}
