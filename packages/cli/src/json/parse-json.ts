import type { JsonValue } from "@bufbuild/protobuf";
import { type JsonText, jsonFailure } from "./json-text.ts";

/** A JSON value with the positions of its parts. */
export type JsonNode =
  | { readonly kind: "object"; readonly at: number; readonly entries: readonly JsonEntry[] }
  | { readonly kind: "array"; readonly at: number; readonly items: readonly JsonNode[] }
  | { readonly kind: "scalar"; readonly at: number; readonly value: string | number | boolean | null };

export interface JsonEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: JsonNode;
}

/** Limit on nesting: protobuf messages nest at most 100 deep, and google.protobuf.Struct uses a few JSON values per level. */
const maxDepth = 400;

/**
 * Parses one JSON value (RFC 8259). Integers that a double cannot represent become strings, as in proto3 JSON.
 *
 * @throws CommandFailure with the position of the error
 */
export function parseJson(text: JsonText): JsonNode {
  return new JsonParser(text).parse();
}

/** Returns the value without positions. */
export function toJsonValue(node: JsonNode): JsonValue {
  switch (node.kind) {
    case "object":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toJsonValue(value)]));
    case "array":
      return node.items.map(toJsonValue);
    case "scalar":
      return node.value;
  }
}

class JsonParser {
  readonly #source: JsonText;
  readonly #text: string;
  #at = 0;

  constructor(source: JsonText) {
    this.#source = source;
    this.#text = source.text;
  }

  parse(): JsonNode {
    const node = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#wrong("unexpected text after the value");
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > maxDepth) throw this.#wrong(`nested more than ${maxDepth} levels deep`);
    this.#skipSpace();
    const at = this.#at;
    switch (this.#text[at]) {
      case "{":
        return { kind: "object", at, entries: this.#entries(depth) };
      case "[":
        return { kind: "array", at, items: this.#items(depth) };
      case '"':
        return { kind: "scalar", at, value: this.#string() };
      case undefined:
        throw this.#wrong("unexpected end: expected a value");
      default:
        return { kind: "scalar", at, value: this.#word() };
    }
  }

  #entries(depth: number): JsonEntry[] {
    const entries: JsonEntry[] = [];
    const keys = new Set<string>();
    this.#at++;
    for (let isFirst = true; !this.#ends("}", isFirst); isFirst = false) {
      this.#skipSpace();
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') throw this.#wrong(`expected a field name in double quotes`);
      const key = this.#string();
      if (keys.has(key)) throw this.#wrong(`duplicate key ${JSON.stringify(key)}`, keyAt);
      keys.add(key);
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") throw this.#wrong(`expected a colon after ${JSON.stringify(key)}`);
      this.#at++;
      entries.push({ key, keyAt, value: this.#value(depth + 1) });
    }
    return entries;
  }

  #items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.#at++;
    for (let isFirst = true; !this.#ends("]", isFirst); isFirst = false) items.push(this.#value(depth + 1));
    return items;
  }

  /** Consumes the end of a list and returns true, or the comma before the next element and returns false. */
  #ends(bracket: string, isFirst: boolean): boolean {
    this.#skipSpace();
    const found = this.#text[this.#at];
    if (found === bracket) {
      this.#at++;
      return true;
    }
    if (isFirst) return false;
    if (found !== ",") throw this.#wrong(`expected a comma or ${bracket}`);
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === bracket) throw this.#wrong(`unexpected comma before ${bracket}`);
    return false;
  }

  #string(): string {
    const match = stringPattern(this.#at).exec(this.#text);
    if (match === null) throw this.#wrong("invalid string: not terminated, or with a line break or an invalid escape");
    this.#at += match[0].length;
    return JSON.parse(match[0]) as string;
  }

  #word(): number | string | boolean | null {
    const at = this.#at;
    const word = wordPattern(at).exec(this.#text)?.[0] ?? "";
    this.#at += word.length;
    if (word === "true" || word === "false") return word === "true";
    if (word === "null") return null;
    if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) {
      const shown = word === "" ? (this.#text[at] ?? "") : word;
      throw this.#wrong(`invalid JSON ${JSON.stringify(shown)}: strings need double quotes`, at);
    }
    const value = Number(word);
    return /^-?\d+$/.test(word) && !Number.isSafeInteger(value) ? word : value;
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #wrong(message: string, at = this.#at) {
    return jsonFailure(this.#source, at, message);
  }
}

function stringPattern(at: number): RegExp {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 requires that they are escaped
  return sticky(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, at);
}

function wordPattern(at: number): RegExp {
  return sticky(/[^\s,:{}[\]"]+/y, at);
}

function sticky(pattern: RegExp, at: number): RegExp {
  pattern.lastIndex = at;
  return pattern;
}
