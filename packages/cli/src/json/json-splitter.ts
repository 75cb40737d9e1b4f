import type { JsonText } from "./json-text.ts";

/**
 * Splits a stream of text into JSON values: one per line, over several lines, or one after another. It only finds where values end and does
 * not validate them.
 */
export class JsonSplitter {
  readonly #source: string;
  #rest = "";
  /** Line at which `#rest` begins. */
  #line = 1;
  #column = 1;
  /** Position up to which `#rest` has been scanned. */
  #at = 0;
  #depth = 0;
  #isInString = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** Adds text and returns the values that end in it. */
  push(text: string): JsonText[] {
    this.#rest += text;
    const values: JsonText[] = [];
    for (let end = this.#findEnd(); end !== undefined; end = this.#findEnd()) values.push(this.#take(end));
    return values;
  }

  /** Returns what is left at the end of the stream: an unterminated number or word, or an incomplete value. */
  end(): JsonText[] {
    const value = this.#take(this.#rest.length);
    return value.text === "" ? [] : [value];
  }

  /** Whether a value has begun and not ended. */
  get isInside(): boolean {
    return this.#rest.trim() !== "";
  }

  /** Returns the position after the first complete value; undefined if there is none yet. */
  #findEnd(): number | undefined {
    for (; this.#at < this.#rest.length; this.#at++) {
      const character = this.#rest[this.#at] as string;
      if (this.#isInString) {
        if (character === "\\") this.#at++;
        else if (character === '"') {
          this.#isInString = false;
          if (this.#depth === 0) return ++this.#at;
        }
      } else if (character === '"') this.#isInString = true;
      else if (character === "{" || character === "[") this.#depth++;
      else if (character === "}" || character === "]") {
        this.#depth = Math.max(0, this.#depth - 1);
        if (this.#depth === 0) return ++this.#at;
      } else if (character === "\n" && this.#depth === 0 && this.#rest.slice(0, this.#at).trim() !== "")
        return this.#at;
    }
    return undefined;
  }

  /** Removes and returns the text up to a position, without leading space. */
  #take(end: number): JsonText {
    const taken = this.#rest.slice(0, end);
    const space = taken.length - taken.trimStart().length;
    this.#move(taken.slice(0, space));
    const value = { text: taken.slice(space).trimEnd(), source: this.#source, line: this.#line, column: this.#column };
    this.#move(taken.slice(space));
    this.#rest = this.#rest.slice(end);
    this.#at = 0;
    this.#depth = 0;
    this.#isInString = false;
    return value;
  }

  #move(over: string): void {
    const lines = over.split("\n");
    const last = lines.at(-1)?.length ?? 0;
    if (lines.length > 1) this.#column = 1;
    this.#line += lines.length - 1;
    this.#column += last;
  }
}
