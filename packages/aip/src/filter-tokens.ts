/**
 * A token of a filter (AIP-160). `text` is an unquoted word, `string` a quoted one. The words AND, OR and NOT have their own kinds.
 */
export interface FilterToken {
  readonly kind: "text" | "string" | "comparator" | "(" | ")" | "-" | "," | "AND" | "OR" | "NOT" | "end";
  readonly text: string;
  /** The index of its first character. */
  readonly at: number;
  /** Whether white space precedes it: `-a` negates, `a -b` is a sequence. */
  readonly afterSpace: boolean;
}

/** The error of an invalid filter, with its position. */
export class ListSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const space = /\s/;
const wordEnd = /[\s()<>=!:,"']/;
const comparators = ["<=", ">=", "!=", "<", ">", "=", ":"] as const;

/** @throws ListSyntaxError */
export function tokenizeFilter(source: string): FilterToken[] {
  const tokens: FilterToken[] = [];
  let at = 0;
  for (;;) {
    const from = at;
    while (at < source.length && space.test(source[at] as string)) at += 1;
    const afterSpace = at > from || at === 0;
    const add = (kind: FilterToken["kind"], text: string, length: number): void => {
      tokens.push({ kind, text, at, afterSpace });
      at += length;
    };
    const next = source[at];
    if (next === undefined) {
      add("end", "", 0);
      return tokens;
    }
    const comparator = comparators.find((one) => source.startsWith(one, at));
    if (next === "(" || next === ")" || next === ",") {
      add(next, next, 1);
    } else if (comparator !== undefined) {
      add("comparator", comparator, comparator.length);
    } else if (next === '"' || next === "'") {
      const { text, length } = readString(source, at);
      add("string", text, length);
    } else if (next === "-" && tokens.at(-1)?.kind !== "comparator") {
      // After a comparator, a minus is the sign of a number: a negation is not allowed there.
      add("-", next, 1);
    } else if (next === "!") {
      throw new ListSyntaxError('unexpected "!"; write NOT, or != to compare', at);
    } else {
      const word = readWord(source, at, tokens.at(-1)?.kind === "comparator");
      const isKeyword = word === "AND" || word === "OR" || word === "NOT";
      add(isKeyword ? word : "text", word, word.length);
    }
  }
}

/** Reads an unquoted word. `isValue`: the word follows a comparator, so it may be a time with colons. */
function readWord(source: string, from: number, isValue: boolean): string {
  const isTime = isValue && /^\d{4}-\d\d-\d\d[Tt]/.test(source.slice(from, from + 11));
  let end = from + 1;
  while (end < source.length) {
    const next = source[end] as string;
    if (wordEnd.test(next) && !(isTime && next === ":")) break;
    end += 1;
  }
  return source.slice(from, end);
}

function readString(source: string, from: number): { text: string; length: number } {
  const quote = source[from];
  let text = "";
  for (let at = from + 1; at < source.length; at++) {
    const next = source[at] as string;
    if (next === quote) return { text, length: at + 1 - from };
    if (next !== "\\") {
      text += next;
      continue;
    }
    at += 1;
    const escaped = source[at];
    if (escaped === undefined) break;
    // The backslash of an escaped star stays for `readPattern`.
    text += escaped === "*" || escaped === "\\" ? `\\${escaped}` : escaped;
  }
  throw new ListSyntaxError(`unterminated string: missing closing ${quote}`, from);
}
