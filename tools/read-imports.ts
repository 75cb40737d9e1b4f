import { type Token, tokenize } from "./tokenize.ts";

export interface FoundImport {
  /** The specifier as written; undefined for a dynamic import of a computed name. */
  readonly specifier: string | undefined;
  /** The line of the specifier (or the dynamic import), counted from 1. */
  readonly line: number;
  /** `import type` and `export type`, which do not exist at run time. */
  readonly isTypeOnly: boolean;
}

/** Returns all imports of a TypeScript or JavaScript source: `import … from`, `import "…"`, `export … from` and `import(…)`. */
export function readImports(source: string): FoundImport[] {
  const tokens = tokenize(source);
  const found: FoundImport[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.kind !== "word" || isMemberName(tokens, i)) continue;
    const next = tokens[i + 1];
    if (token.text === "import") {
      if (is(next, "(")) found.push(dynamicImport(tokens, i, token.line));
      else if (next?.kind === "string") found.push({ specifier: next.text, line: next.line, isTypeOnly: false });
      else if (!is(next, ".")) addIfPresent(found, clauseWithFrom(tokens, i + 1));
    } else if (token.text === "export") {
      const head = next?.text === "type" ? tokens[i + 2] : next;
      if (is(head, "{") || is(head, "*")) addIfPresent(found, clauseWithFrom(tokens, i + 1));
    }
  }
  return found;
}

function is(token: Token | undefined, punctuator: string): boolean {
  return token?.kind === "punctuator" && token.text === punctuator;
}

function addIfPresent(list: FoundImport[], item: FoundImport | undefined): void {
  if (item !== undefined) list.push(item);
}

/** `x.import` and `{ import: 1 }` are names, not statements. */
function isMemberName(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  const isSpread = is(before, ".") && is(tokens[index - 2], ".");
  return (is(before, ".") && !isSpread) || is(tokens[index + 1], ":");
}

function dynamicImport(tokens: readonly Token[], index: number, line: number): FoundImport {
  const argument = tokens[index + 2];
  const following = tokens[index + 3];
  const isLiteral =
    (argument?.kind === "string" || argument?.kind === "template") && (is(following, ")") || is(following, ","));
  return { specifier: isLiteral ? argument.text : undefined, line, isTypeOnly: false };
}

/** Reads `… from "specifier"` after `import` or `export`; undefined when no such clause follows. */
function clauseWithFrom(tokens: readonly Token[], start: number): FoundImport | undefined {
  const first = tokens[start];
  const second = tokens[start + 1];
  // `import type from "x"` and `import type, { y } from "x"` import a value with the name `type`.
  // `import type from from "x"` imports a type with the name `from`.
  const typeIsName = is(second, ",") || (second?.text === "from" && tokens[start + 2]?.kind === "string");
  const isTypeOnly = first?.kind === "word" && first.text === "type" && !typeIsName;
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i];
    const next = tokens[i + 1];
    if (token?.kind === "word" && token.text === "from" && next?.kind === "string") {
      return { specifier: next.text, line: next.line, isTypeOnly };
    }
    const belongsToClause =
      token?.kind === "word" || token?.kind === "string" || is(token, "{") || is(token, "}") || is(token, ",");
    if (!belongsToClause && !is(token, "*")) return undefined;
    // `export { a }` without `from` ends at its brace. The next statement follows.
    if (is(token, "}") && next?.text !== "from") return undefined;
  }
  return undefined;
}
