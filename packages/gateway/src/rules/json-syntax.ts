/** Position and reason of a JSON syntax error. */
export interface JsonSyntaxProblem {
  /** Starts at 1. */
  readonly line: number;
  readonly column: number;
  /** The expected text at this position. */
  readonly expected: string;
}

/**
 * Finds the first syntax error in a text; undefined for valid JSON. Used for error messages only: `JSON.parse` is much faster but its errors have
 * no position. Recursive: the caller must limit the nesting of the text.
 */
export function findJsonProblem(text: string): JsonSyntaxProblem | undefined {
  const scanner = new JsonScanner(text);
  const expected = scanner.scan();
  if (expected === undefined) return undefined;
  const before = text.slice(0, scanner.at).split("\n");
  return { line: before.length, column: (before.at(-1) as string).length + 1, expected };
}

const blank = /[ \t\n\r]*/y;
const literal = /(?:true|false|null)(?![A-Za-z0-9_])/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON's strings have none.
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

class JsonScanner {
  readonly #text: string;
  /** Offset of the syntax error after a failed scan. */
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the expected text at `at`; undefined for valid JSON. */
  scan(): string | undefined {
    const problem = this.#value();
    if (problem !== undefined) return problem;
    this.#skip(blank);
    return this.at === this.#text.length ? undefined : "the end of the body";
  }

  #value(): string | undefined {
    this.#skip(blank);
    const char = this.#text[this.at];
    if (char === "{") return this.#list("}", () => this.#member());
    if (char === "[") return this.#list("]", () => this.#value());
    if (char === '"') return this.#skip(string) ? undefined : "a string that ends, with valid escapes";
    return this.#skip(literal) || this.#skip(number) ? undefined : "a value";
  }

  #member(): string | undefined {
    this.#skip(blank);
    if (!this.#skip(string)) return "a name in double quotes";
    this.#skip(blank);
    if (this.#text[this.at] !== ":") return "a colon";
    this.at++;
    return this.#value();
  }

  #list(end: string, item: () => string | undefined): string | undefined {
    this.at++;
    this.#skip(blank);
    if (this.#text[this.at] === end) {
      this.at++;
      return undefined;
    }
    for (;;) {
      const problem = item();
      if (problem !== undefined) return problem;
      this.#skip(blank);
      const char = this.#text[this.at];
      if (char !== "," && char !== end) return `a comma or ${end}`;
      this.at++;
      if (char === end) return undefined;
    }
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.#text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }
}
