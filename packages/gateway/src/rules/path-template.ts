/** One segment of a template: text, `*` (one segment) or `**` (any number of them). */
export type TemplateSegment = { readonly kind: "literal"; readonly text: string } | { readonly kind: "one" | "many" };

/** A request field that is bound to a part of the path. */
export interface TemplateVariable {
  /** Path of the field in proto names, from the request. */
  readonly fieldPath: string;
  /** Index of its first segment. */
  readonly start: number;
  /** Index after its last segment. */
  readonly end: number;
  /** Whether it can match several segments: then "%2F" is not decoded. */
  readonly isMulti: boolean;
}

/** A path template of google/api/http.proto. */
export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** Index of the `**` segment; -1 if there is none. */
  readonly manyAt: number;
  /** Text after the last colon; undefined if there is none. */
  readonly verb: string | undefined;
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parses a template such as `/v1/{name=shelves/*}/books/{book}:cancel`.
 *
 * Beyond the grammar of http.proto it accepts the template `/`, and one `**` at any position.
 *
 * @throws SyntaxError with the column, which starts at 1
 */
export function parsePathTemplate(source: string): PathTemplate {
  return new TemplateParser(source).parse();
}

class TemplateParser {
  readonly #source: string;
  readonly #segments: TemplateSegment[] = [];
  readonly #variables: TemplateVariable[] = [];
  #at = 0;
  #hasMany = false;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PathTemplate {
    if (this.#source[0] !== "/") this.#fail("a path begins with /");
    this.#at = 1;
    let verb: string | undefined;
    if (this.#source.length > 1) {
      this.#readSegments(false);
      if (this.#peek() === ":") verb = this.#readVerb();
      if (this.#at < this.#source.length) this.#fail(`unexpected ${JSON.stringify(this.#peek())}`);
    }
    const manyAt = this.#segments.findIndex((segment) => segment.kind === "many");
    return { source: this.#source, segments: this.#segments, variables: this.#variables, manyAt, verb };
  }

  #readSegments(isInVariable: boolean): void {
    for (;;) {
      this.#readSegment(isInVariable);
      if (this.#peek() !== "/") return;
      this.#at++;
    }
  }

  #readSegment(isInVariable: boolean): void {
    const char = this.#peek();
    if (char === "{") {
      if (isInVariable) this.#fail("a variable inside a variable");
      this.#readVariable();
    } else if (char === "*") {
      this.#readWildcard();
    } else {
      this.#readLiteral();
    }
    const next = this.#peek();
    const isEnd = next === "" || next === "/" || next === ":" || (isInVariable && next === "}");
    if (!isEnd) this.#fail("a segment is either text, a wildcard or a variable");
  }

  #readWildcard(): void {
    const isMany = this.#source[this.#at + 1] === "*";
    if (isMany && this.#hasMany) this.#fail("a second **");
    this.#segments.push({ kind: isMany ? "many" : "one" });
    this.#hasMany ||= isMany;
    this.#at += isMany ? 2 : 1;
  }

  #readLiteral(): void {
    const start = this.#at;
    while (this.#at < this.#source.length && !"/{}*:=".includes(this.#peek())) this.#at++;
    if (this.#at === start) this.#fail("an empty segment");
    const text = this.#source.slice(start, this.#at);
    this.#segments.push({ kind: "literal", text: this.#normal(text, start) });
  }

  /** Decodes a literal, because paths are compared decoded: `%41` equals `A`. */
  #normal(text: string, start: number): string {
    if (text === "." || text === "..") this.#failAt(start, "a segment of dots, which clients take out of a path");
    if (/[\s?#\\]/.test(text)) this.#failAt(start, `${JSON.stringify(text)} cannot be part of a path`);
    try {
      return decodeURIComponent(text);
    } catch {
      return this.#failAt(start, `${JSON.stringify(text)} has an invalid escape`);
    }
  }

  #readVariable(): void {
    const begin = this.#at;
    this.#at++;
    const nameStart = this.#at;
    while (/[A-Za-z0-9_.]/.test(this.#peek())) this.#at++;
    const fieldPath = this.#source.slice(nameStart, this.#at);
    if (!fieldPath.split(".").every((name) => identifier.test(name))) {
      this.#failAt(nameStart, "a variable needs the name of a field");
    }
    if (this.#variables.some((other) => other.fieldPath === fieldPath)) {
      this.#failAt(nameStart, `the variable ${fieldPath} occurs twice`);
    }
    const start = this.#segments.length;
    if (this.#peek() === "=") {
      this.#at++;
      this.#readSegments(true);
    } else {
      this.#segments.push({ kind: "one" });
    }
    if (this.#peek() !== "}") this.#failAt(begin, "a variable without }");
    this.#at++;
    const end = this.#segments.length;
    const isMulti = end - start > 1 || this.#segments[start]?.kind === "many";
    this.#variables.push({ fieldPath, start, end, isMulti });
  }

  #readVerb(): string {
    const start = this.#at + 1;
    const verb = this.#source.slice(start);
    if (verb === "" || /[/{}*=\s?#]/.test(verb)) this.#failAt(start, "a verb is text up to the end");
    this.#at = this.#source.length;
    return verb;
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #fail(reason: string): never {
    return this.#failAt(this.#at, reason);
  }

  #failAt(at: number, reason: string): never {
    throw new SyntaxError(`invalid path template ${JSON.stringify(this.#source)}, column ${at + 1}: ${reason}`);
  }
}
