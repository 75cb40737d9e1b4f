/** A part of a value: literal text, a variable or a file. */
export type TextPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly fallback?: readonly TextPart[] }
  | { readonly kind: "file"; readonly file: string; readonly fallback?: readonly TextPart[] };

/** The parsed parts, or the problem. */
export type ParsedText =
  | { readonly parts: readonly TextPart[]; readonly problem?: undefined }
  | { readonly parts?: undefined; readonly problem: string };

const syntax = ["NAME", "NAME:-default", "file:/path"].map((inside) => `\${${inside}}`);
const namePattern = /^[A-Za-z_][A-Za-z0-9_]*/;
const maxDepth = 8;

/**
 * Parses the placeholders of a value: `${NAME}`, `${NAME:-default}`, `${file:/path}`, `${file:/path:-default}`. `$${` is a literal `${`; any other
 * `$` is literal. A default may contain placeholders.
 */
export function parsePlaceholders(text: string): ParsedText {
  const reader = new PlaceholderReader(text);
  try {
    return { parts: reader.readParts(0) };
  } catch (error) {
    if (error instanceof PlaceholderProblem) return { problem: error.message };
    throw error;
  }
}

class PlaceholderProblem extends Error {}

class PlaceholderReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads parts up to the end of the text, or inside a placeholder up to its closing brace. */
  readParts(depth: number): TextPart[] {
    const parts: TextPart[] = [];
    let literal = "";
    const endLiteral = (): void => {
      if (literal !== "") parts.push({ kind: "text", text: literal });
      literal = "";
    };
    while (this.#at < this.#text.length && !(depth > 0 && this.#text[this.#at] === "}")) {
      if (this.#text.startsWith("$${", this.#at)) {
        literal += "${";
        this.#at += 3;
      } else if (this.#text.startsWith("${", this.#at)) {
        endLiteral();
        parts.push(this.#readPlaceholder(depth + 1));
      } else {
        literal += this.#text[this.#at++];
      }
    }
    endLiteral();
    return parts;
  }

  #readPlaceholder(depth: number): TextPart {
    const start = this.#at;
    if (depth > maxDepth) throw new PlaceholderProblem(`placeholders are nested more than ${maxDepth} levels deep`);
    this.#at += 2;
    const source = this.#readSource();
    const hasFallback = source !== undefined && this.#text.startsWith(":-", this.#at);
    if (hasFallback) this.#at += 2;
    const fallback = hasFallback ? this.readParts(depth) : undefined;
    if (source === undefined || this.#text[this.#at] !== "}") {
      const end = this.#text.indexOf("}", this.#at);
      const shown = this.#text.slice(start, end === -1 ? start + 40 : end + 1);
      const [name, withDefault, file] = syntax;
      throw new PlaceholderProblem(
        `invalid placeholder ${shown}; use ${name}, ${withDefault} or ${file}, and $$\{ for a literal \${`,
      );
    }
    this.#at++;
    return { ...source, ...(fallback !== undefined && { fallback }) };
  }

  #readSource(): TextPart | undefined {
    if (this.#text.startsWith("file:", this.#at)) {
      const start = this.#at + 5;
      const ends = [this.#text.indexOf("}", start), this.#text.indexOf(":-", start)].filter((end) => end !== -1);
      if (ends.length === 0) return undefined;
      this.#at = Math.min(...ends);
      const file = this.#text.slice(start, this.#at);
      return file === "" ? undefined : { kind: "file", file };
    }
    const name = namePattern.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) return undefined;
    this.#at += name.length;
    return { kind: "variable", name };
  }
}
