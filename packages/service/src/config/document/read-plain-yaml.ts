import type { ConfigNode, MapEntry, MapNode } from "./config-node.ts";
import type { Origin } from "./origin.ts";
import { scalarFromText } from "./scalar-text.ts";

/** Printable text without tabs, and without what JavaScript trims and YAML does not. */
const plainText = /^[\n\x20-\x7e\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2190-\u2bff\u3001-\ud7ff]*$/;
const keyPattern = /^([A-Za-z_][A-Za-z0-9_-]{0,200}):(?: (.*))?$/;
const maxDepth = 50;

/** What a text without quotes may begin with. */
const plainStart = /^(?:[A-Za-z0-9_/.$]|-[0-9])/;
const quotedScalar = /^(?:"([^"\\]*)"|'([^']*)')$/;
const flowList = /^\[([^[\]\\#]*)\]$/;
const quotedItem = /^(?:"([^",]*)"|'([^',]*)')$/;
const listItem = /^(?:[A-Za-z0-9_./]|-(?=[0-9]))(?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?$/;
/** Words of YAML's core schema that mean nothing here. */
const unusualWord = /^(?:null|[-+]?\.(?:inf|nan))$/i;
/** Numbers and booleans as people write them. */
const usual = /^(?:true|false|(?!-0)-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?)$/;
const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "null", "true", "false"]);

interface Line {
  /** From 1. */
  readonly number: number;
  /** Spaces before the text; after a `- ` the place of what it holds. */
  indent: number;
  /** Without spaces at either end. */
  text: string;
  /** Where the line ends, with its spaces. */
  readonly end: number;
}

/**
 * Reads a file of the kind that most configurations are: maps, lists and scalars by indentation, lists of words in brackets, comments. Undefined for
 * every other text, which is for `readYaml`: what this reads, that reads alike. The parser of all of YAML takes ten times as long, and its code is not
 * loaded where no file needs it.
 */
export function readPlainYaml(text: string, file: string): MapNode | undefined {
  if (!plainText.test(text)) return undefined;
  const lines: Line[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const content = line.trim();
    if (content === "" || content.startsWith("#")) continue;
    lines.push({ number: at + 1, indent: line.length - line.trimStart().length, text: content, end: line.length });
  }
  const [first] = lines;
  if (first === undefined || isItem(first)) return undefined;
  const reader = new PlainReader(lines, file);
  const root = reader.map(first.indent, 0);
  return reader.isAtEnd ? root : undefined;
}

function isItem({ text }: Line): boolean {
  return text.startsWith("- ");
}

/** Each method reads from the current line on, and gives undefined for what is not plain, which ends everything. */
class PlainReader {
  readonly #lines: readonly Line[];
  readonly #file: string;
  #at = 0;

  constructor(lines: readonly Line[], file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#lines.length;
  }

  map(indent: number, depth: number): MapNode | undefined {
    const entries = new Map<string, MapEntry>();
    const begin = this.#lines[this.#at];
    for (let line = begin; line !== undefined && line.indent >= indent; line = this.#lines[this.#at]) {
      // Deeper than the key before, which has its value: a text of several lines, or a mistake.
      if (line.indent > indent) return undefined;
      const [, key = "", rest = ""] = keyPattern.exec(line.text) ?? [];
      const value = rest.trimStart();
      // Also where the line is no key at all.
      if (key === "" || forbiddenKeys.has(key.toLowerCase()) || entries.has(key)) return undefined;
      const node = this.#valueOf(line, value, depth);
      if (node === undefined) return undefined;
      entries.set(key, { node, keyOrigin: this.#origin(line, indent) });
    }
    return begin && { kind: "map", entries, origin: this.#origin(begin, indent) };
  }

  #valueOf(line: Line, value: string, depth: number): ConfigNode | undefined {
    this.#at++;
    if (value !== "" && !value.startsWith("#")) {
      return this.#inline(line, value, line.indent + line.text.length - value.length);
    }
    if (depth > maxDepth) return undefined;
    const next = this.#lines[this.#at];
    if (next !== undefined && isItem(next) && next.indent >= line.indent) return this.#list(next.indent, depth + 1);
    if (next !== undefined && next.indent > line.indent) return this.map(next.indent, depth + 1);
    const place = value === "" ? line.end : line.indent + line.text.length - value.length;
    return { kind: "scalar", value: null, origin: this.#origin(line, place) };
  }

  #list(indent: number, depth: number): ConfigNode | undefined {
    const items: ConfigNode[] = [];
    const begin = this.#lines[this.#at];
    for (let line = begin; line !== undefined && line.indent >= indent; line = this.#lines[this.#at]) {
      if (line.indent > indent) return undefined;
      // A list may be as far left as its key, and then ends with the next one.
      if (!isItem(line)) break;
      const text = line.text.slice(1).trimStart();
      line.indent += line.text.length - text.length;
      line.text = text;
      const item = keyPattern.test(text) ? this.map(line.indent, depth + 1) : this.#item(line);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return begin && { kind: "list", items, origin: this.#origin(begin, indent) };
  }

  #item(line: Line): ConfigNode | undefined {
    this.#at++;
    return this.#inline(line, line.text, line.indent);
  }

  /** A value on the line of its key. */
  #inline(line: Line, text: string, at: number): ConfigNode | undefined {
    const origin = this.#origin(line, at);
    const value = withoutComment(text);
    const quoted = quotedScalar.exec(value);
    if (quoted !== null) return { kind: "scalar", value: quoted[1] ?? quoted[2] ?? "", origin };
    const list = flowList.exec(value);
    if (list !== null) return this.#flow(line, list[1] ?? "", at);
    if (value === "{}") return { kind: "map", entries: new Map(), origin };
    return isPlainScalar(value) ? scalar(value, origin) : undefined;
  }

  #flow(line: Line, inner: string, at: number): ConfigNode | undefined {
    const items: ConfigNode[] = [];
    let place = at + 1;
    for (const part of inner.trim() === "" ? [] : inner.split(",")) {
      const text = part.trim();
      const origin = this.#origin(line, place + part.length - part.trimStart().length);
      const quoted = quotedItem.exec(text);
      const plain = listItem.test(text) ? scalar(text, origin) : undefined;
      const item: ConfigNode | undefined =
        quoted === null ? plain : { kind: "scalar", value: quoted[1] ?? quoted[2] ?? "", origin };
      if (item === undefined) return undefined;
      items.push(item);
      place += part.length + 1;
    }
    return { kind: "list", items, origin: this.#origin(line, at) };
  }

  #origin(line: Line, indent: number): Origin {
    return { kind: "file", file: this.#file, line: line.number, column: indent + 1 };
  }
}

function withoutComment(text: string): string {
  const at = text.indexOf(" #");
  return at === -1 ? text : text.slice(0, at).trimEnd();
}

function isPlainScalar(text: string): boolean {
  return plainStart.test(text) && !text.includes(": ") && !text.endsWith(":");
}

function scalar(text: string, origin: Origin): ConfigNode | undefined {
  const node = scalarFromText(text, origin);
  const isPlain = typeof node.value === "string" ? !unusualWord.test(text) : usual.test(text);
  return isPlain ? node : undefined;
}
