import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { nearestName } from "../../options/check-options.ts";

/** proto3's JSON form of google.protobuf.Duration: seconds with up to nine decimals. */
const durationPattern = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
/** The largest Duration, ten thousand years. */
const maxDurationSeconds = 315_576_000_000;

/**
 * A value of a service config together with its path, so that errors can name it. An absent field
 * and one that is null mean the same (proto3 JSON), and neither has a ConfigValue.
 */
export class ConfigValue {
  readonly json: JsonValue;
  readonly path: string;
  private readonly refuseUnknown: boolean;

  /** `refuseUnknown`: whether a field that no one knows is an error. gRFC A21 wants it ignored where it comes from a resolver. */
  constructor(json: JsonValue, path: string, refuseUnknown: boolean) {
    this.json = json;
    this.path = path;
    this.refuseUnknown = refuseUnknown;
  }

  /** The error that refuses this value. */
  refusal(reason: string): TypeError {
    return new TypeError(`${this.path} ${reason}`);
  }

  /** @throws TypeError unless the value is an object, with fields of these names only where others are refused */
  fields(known: readonly string[]): { get(name: string): ConfigValue | undefined } {
    const object = this.object();
    if (this.refuseUnknown) {
      for (const name of Object.keys(object)) {
        if (known.includes(name)) continue;
        const nearest = nearestName(name, known);
        const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
        throw this.refusal(`has an unknown field "${name}"${hint} Known fields: ${known.join(", ")}`);
      }
    }
    return {
      get: (name) => {
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        return value === undefined || value === null ? undefined : this.child(value, `.${name}`);
      },
    };
  }

  object(): JsonObject {
    const { json } = this;
    if (typeof json !== "object" || json === null || Array.isArray(json)) throw this.mustBe("an object");
    return json;
  }

  items(): ConfigValue[] {
    if (!Array.isArray(this.json)) throw this.mustBe("a list");
    return this.json.map((item, at) => this.child(item, `[${at}]`));
  }

  /** The only field of an object that has to have exactly one. */
  onlyField(): { readonly name: string; readonly value: ConfigValue } {
    const [name, ...others] = Object.keys(this.object());
    if (name === undefined || others.length > 0) throw this.mustBe("an object with one field");
    return { name, value: this.child(this.object()[name] as JsonValue, `.${name}`) };
  }

  text(): string {
    if (typeof this.json !== "string") throw this.mustBe("a string");
    return this.json;
  }

  bool(): boolean {
    if (typeof this.json !== "boolean") throw this.mustBe("true or false");
    return this.json;
  }

  number(): number {
    if (typeof this.json !== "number" || !Number.isFinite(this.json)) throw this.mustBe("a number");
    return this.json;
  }

  /** Within the bounds, both included. proto3 JSON lets whole numbers be strings as well. */
  wholeNumber(min: number, max: number): number {
    const { json } = this;
    const value = typeof json === "string" && /^[0-9]{1,16}$/.test(json) ? Number(json) : json;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.mustBe(`a whole number from ${min} to ${max}`);
  }

  /** A duration that is not negative, in milliseconds. */
  durationMs(): number {
    const match = typeof this.json === "string" ? durationPattern.exec(this.json) : null;
    if (match === null) throw this.mustBe('a duration such as "1.5s"');
    const [, sign, seconds, decimals = ""] = match;
    if (sign === "-") throw this.mustBe("a duration that is not negative");
    if (Number(seconds) > maxDurationSeconds) throw this.mustBe(`a duration of at most ${maxDurationSeconds}s`);
    return Number(seconds) * 1000 + Number(decimals.padEnd(9, "0")) / 1e6;
  }

  private mustBe(what: string): TypeError {
    const shown = JSON.stringify(this.json).slice(0, 64);
    return this.refusal(`is ${shown}; it has to be ${what}`);
  }

  private child(value: JsonValue, step: string): ConfigValue {
    return new ConfigValue(value, this.path + step, this.refuseUnknown);
  }
}
