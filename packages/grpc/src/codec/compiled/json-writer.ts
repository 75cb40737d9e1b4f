import { type DescEnum, type DescMessage, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { mayGenerateCode } from "./code-generation.ts";
import { isPlainJson, writeJsonSource } from "./json-source.ts";

type WriteJson = (message: object) => string;

/** Thrown for a value that only protobuf-es writes, or no one. */
const odd = new Error("a value that needs protobuf-es");

/**
 * Writes messages as JSON by generated code, character for character as protobuf-es's `toJsonString` does, without the objects in between. Messages of
 * well-known types, and those that have such in another form, are written by protobuf-es.
 */
export class JsonWriters {
  readonly #options: { readonly registry: Registry } | undefined;
  readonly #writers = new WeakMap<DescMessage, WriteJson>();

  constructor(registry: Registry | undefined) {
    this.#options = registry === undefined ? undefined : { registry };
  }

  /** Undefined: protobuf-es has to write it, or say what is wrong with it. */
  write(schema: DescMessage, message: object): string | undefined {
    try {
      return this.#writerOf(schema)(message);
    } catch {
      // Values that do not fit the schema make generated code fail in many ways.
      return undefined;
    }
  }

  /** Types within this one are compiled when a message first has one. */
  #writerOf(schema: DescMessage): WriteJson {
    let write = this.#writers.get(schema);
    if (write === undefined) {
      write = isPlainJson(schema) && mayGenerateCode() ? this.#compile(schema) : this.#foreign(schema);
      this.#writers.set(schema, write);
    }
    return write;
  }

  #compile(schema: DescMessage): WriteJson {
    const { text, types, enums } = writeJsonSource(schema);
    return new Function("types", "enums", "tools", text)(
      types.map((type) => () => this.#writerOf(type)),
      enums.map(namesOf),
      tools,
    ) as WriteJson;
  }

  #foreign(schema: DescMessage): WriteJson {
    return (message) => JSON.stringify(toJson(schema, message as Message, this.#options));
  }
}

/** As they are in JSON, by number. */
function namesOf({ value, values }: DescEnum): ReadonlyMap<unknown, string> {
  return new Map(values.map(({ number }) => [number, JSON.stringify(value[number]?.jsonName)]));
}

/** What JSON has no character for in a string, or only as an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them.
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

function string(value: unknown): string {
  if (typeof value !== "string") throw odd;
  return escaped.test(value) ? JSON.stringify(value) : `"${value}"`;
}

function number(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw odd;
  return `${value}`;
}

const tools = {
  odd,
  hasOwn: Object.hasOwn,
  /** Whether what the message has can only be its own. */
  isPlain: (value: object) => Object.getPrototypeOf(value) === Object.prototype,
  string,
  number,
  /** NaN and the infinities are strings. */
  float: (value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? `"${value}"` : number(value)),
  long(value: unknown): string {
    if (typeof value === "bigint" || Number.isInteger(value)) return `"${value}"`;
    return string(value);
  },
  bool(value: unknown): string {
    if (typeof value !== "boolean") throw odd;
    return value ? "true" : "false";
  },
  base64(value: unknown): string {
    if (!(value instanceof Uint8Array)) throw odd;
    return `"${base64Encode(value)}"`;
  },
  /** A number that the enum has no name for stays one. */
  name: (names: ReadonlyMap<unknown, string>, value: unknown) => names.get(value) ?? number(value),
};
