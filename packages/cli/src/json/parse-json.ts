import type { JsonValue } from "@bufbuild/protobuf";
import { type JsonText, jsonFailure } from "./json-text.ts";

/** A JSON value that remembers where its parts are written. */
export type JsonNode =
  | { readonly kind: "object"; readonly at: number; readonly entries: readonly JsonEntry[] }
  | { readonly kind: "array"; readonly at: number; readonly items: readonly JsonNode[] }
  | { readonly kind: "scalar"; readonly at: number; readonly value: string | number | boolean | null };

export interface JsonEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: JsonNode;
}

/** Protobuf messages nest at most 100 deep; google.protobuf.Struct takes a few values for each. */
const maxDepth = 400;

/**
 * Parses one JSON value (RFC 8259). Whole numbers that a double cannot hold become texts, as proto3 JSON writes them.
 *
 * @throws CommandFailure with the place of the mistake
 */
export function parseJson(text: JsonText): JsonNode {
  return new JsonParser(text).parse();
}

/** The value without its places. */
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
    if (this.#at < this.#text.length) throw this.#wrong("nothing more is expected after the value");
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > maxDepth) throw this.#wrong(`nested more than ${maxDepth} deep`);
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
        throw this.#wrong("the text ends where a value is expected");
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
      if (this.#text[keyAt] !== '"') throw this.#wrong(`a field's name is expected, in double quotes`);
      const key = this.#string();
      if (keys.has(key)) throw this.#wrong(`${JSON.stringify(key)} is given twice`, keyAt);
      keys.add(key);
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") throw this.#wrong(`a colon is expected after ${JSON.stringify(key)}`);
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

  /** Steps over the end of a list, or over the comma before its next part. */
  #ends(bracket: string, isFirst: boolean): boolean {
    this.#skipSpace();
    const found = this.#text[this.#at];
    if (found === bracket) {
      this.#at++;
      return true;
    }
    if (isFirst) return false;
    if (found !== ",") throw this.#wrong(`a comma or ${bracket} is expected`);
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === bracket) throw this.#wrong(`no comma is allowed before ${bracket}`);
    return false;
  }

  #string(): string {
    const match = stringPattern(this.#at).exec(this.#text);
    if (match === null)
      throw this.#wrong("a text in double quotes does not end, or holds a line break or a wrong escape");
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
      throw this.#wrong(`${JSON.stringify(shown)} is not JSON; texts are written in double quotes`, at);
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 wants them escaped
  return sticky(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, at);
}

function wordPattern(at: number): RegExp {
  return sticky(/[^\s,:{}[\]"]+/y, at);
}

function sticky(pattern: RegExp, at: number): RegExp {
  pattern.lastIndex = at;
  return pattern;
}
