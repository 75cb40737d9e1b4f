import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/**
 * Reads the fields of one policy's config as protobuf's JSON mapping writes them. Other fields are ignored,
 * as in gRPC's other implementations: the config may be written for newer clients too.
 */
export class ConfigFields {
  readonly #where: string;
  readonly #json: JsonObject;

  constructor(where: string, json: JsonObject) {
    this.#where = where;
    this.#json = json;
  }

  /** @throws TypeError unless the field is absent, null, or a whole number within the bounds, both included */
  wholeNumber(name: string, min: number, max: number, byDefault: number): number {
    const given = this.#given(name);
    if (given === undefined) return byDefault;
    // The mapping writes 64-bit numbers as text and lets readers take either form.
    const value = typeof given === "string" && /^[0-9]+$/.test(given) ? Number(given) : given;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      throw this.#wrong(name, given, `a whole number from ${min} to ${max}`);
    }
    return value;
  }

  number(name: string, min: number, byDefault: number): number {
    const given = this.#given(name);
    if (given === undefined) return byDefault;
    if (typeof given !== "number" || !(given >= min) || !Number.isFinite(given)) {
      throw this.#wrong(name, given, `a number of at least ${min}`);
    }
    return given;
  }

  flag(name: string, byDefault: boolean): boolean {
    const given = this.#given(name);
    if (given === undefined) return byDefault;
    if (typeof given !== "boolean") throw this.#wrong(name, given, "true or false");
    return given;
  }

  text(name: string, byDefault: string): string {
    const given = this.#given(name);
    if (given === undefined) return byDefault;
    if (typeof given !== "string") throw this.#wrong(name, given, "text");
    return given;
  }

  /** A google.protobuf.Duration that is not negative, in milliseconds. */
  durationMs(name: string, byDefaultMs: number): number {
    const given = this.#given(name);
    if (given === undefined) return byDefaultMs;
    const match = typeof given === "string" ? /^([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/.exec(given) : null;
    if (match === null || Number(match[1]) > maxDurationSeconds) {
      throw this.#wrong(name, given, 'a duration in seconds, such as "1.5s"');
    }
    return Number(match[1]) * 1000 + Number(`0.${match[2] ?? "0"}`) * 1000;
  }

  /** The fields of an object; undefined when it is absent. */
  object(name: string): ConfigFields | undefined {
    const given = this.#given(name);
    if (given === undefined) return undefined;
    if (!isJsonObject(given)) throw this.#wrong(name, given, "an object");
    return new ConfigFields(`${this.#where}.${name}`, given);
  }

  /** A field as it is written; undefined when it is absent. */
  raw(name: string): JsonValue | undefined {
    return this.#given(name);
  }

  wrong(name: string, expected: string): TypeError {
    return this.#wrong(name, this.#given(name) ?? null, expected);
  }

  #given(name: string): JsonValue | undefined {
    return Object.hasOwn(this.#json, name) ? (this.#json[name] ?? undefined) : undefined;
  }

  #wrong(name: string, given: JsonValue, expected: string): TypeError {
    return new TypeError(`${this.#where}: ${name} is ${JSON.stringify(given).slice(0, 100)}; it has to be ${expected}`);
  }
}

/** As protobuf bounds a Duration: 10,000 years. */
const maxDurationSeconds = 315_576_000_000;

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
