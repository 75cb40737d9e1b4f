import type { DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { nearestName, refuseUnknownOptions } from "@tercel/grpc/internal";

// Options are declared once, in a table: its keys are their names, its values their types and defaults, and its comments their
// documentation. `OptionsOf` is the type for users, `readOptions` checks options and adds the defaults, and the tables in the README of
// each feature are generated from the comments (test/option-docs.test.ts).

type Presence = "optional" | "defaulted" | "required";

/** The allowed values of an option, and its default. */
export class Option<T, P extends Presence = "optional"> {
  /** Completes "expected …". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  readonly presence: P;
  readonly fallback: T | undefined;
  readonly more: MoreOfOption;

  constructor(
    expected: string,
    accepts: (value: unknown) => boolean,
    { presence, fallback, more = {} }: { presence: P; fallback?: T; more?: MoreOfOption },
  ) {
    this.expected = expected;
    this.accepts = accepts;
    this.presence = presence;
    this.fallback = fallback;
    this.more = more;
  }

  /** Returns the same option with a default. */
  or(fallback: T): Option<T, "defaulted"> {
    return new Option(this.expected, this.accepts, { presence: "defaulted", fallback, more: this.more });
  }

  /** Returns the same option as a required one. */
  required(): Option<T, "required"> {
    return new Option<T, "required">(this.expected, this.accepts, { presence: "required", more: this.more });
  }
}

interface MoreOfOption {
  /** The known names, for the suggestion in the error of a misspelt one. */
  readonly names?: readonly string[];
  /** The option that checks each item of a list. */
  readonly item?: Option<unknown, "required">;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of every type
export type OptionTable = Readonly<Record<string, Option<any, Presence>>>;

type ValueOf<O> = O extends Option<infer T, Presence> ? T : never;
type IsRequired<O> = O extends { readonly presence: "required" } ? true : false;

/** The type of the options that a table declares, as users pass them. */
export type OptionsOf<Table extends OptionTable> = {
  [Name in keyof Table as IsRequired<Table[Name]> extends true ? never : Name]?: ValueOf<Table[Name]>;
} & {
  [Name in keyof Table as IsRequired<Table[Name]> extends true ? Name : never]: ValueOf<Table[Name]>;
};

/** The type of the options that a table declares, after checks and with their defaults. */
export type SettingsOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly presence: "optional" }
    ? ValueOf<Table[Name]> | undefined
    : ValueOf<Table[Name]>;
};

/**
 * Checks options against their table, and adds the defaults.
 *
 * @param where the start of each error, for example `createRateLimit`
 * @throws TypeError for an unknown option, with the nearest known one, and for an option that is missing or has another type; RangeError for
 * a number that is out of range
 */
export function readOptions<Table extends OptionTable>(
  where: string,
  table: Table,
  given: OptionsOf<Table>,
): SettingsOf<Table> {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${where} is ${describe(given)}; expected an object with ${Object.keys(table).join(", ")}`);
  }
  refuseUnknownOptions(where, given, Object.keys(table));
  const settings: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    settings[name] = readOption(where, name, option, (given as Readonly<Record<string, unknown>>)[name]);
  }
  return settings as SettingsOf<Table>;
}

/**
 * Checks one value, such as an entry of a table by method, and adds its default.
 *
 * @param name as in the error, for example `methods["*"]`
 * @throws as `readOptions`
 */
export function readOption(where: string, name: string, option: OptionTable[string], value: unknown): unknown {
  const { expected, presence, fallback, more } = option;
  if (value === undefined) {
    if (presence !== "required") return fallback;
    throw new TypeError(`${where}: ${name} is missing; expected ${expected}`);
  }
  if (!option.accepts(value)) {
    const nearest = typeof value === "string" ? nearestName(value, more.names ?? []) : undefined;
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    const message = `${where}: ${name} is ${describe(value)}; expected ${expected}${hint}`;
    throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
  }
  if (more.item !== undefined && Array.isArray(value)) {
    for (const [at, item] of value.entries()) readOption(where, `${name}[${at}]`, more.item, item);
  }
  return value;
}

const maxShownChars = 80;

/** Describes an invalid value in an error. Objects, lists and bytes are not shown, because they may be secret. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, maxShownChars)) : String(value);
}

// ---- types of options

/** Any value for which `accepts` returns true. */
export function own<T>(expected: string, accepts: (value: unknown) => boolean = isObject): Option<T> {
  return new Option<T>(expected, accepts, { presence: "optional" });
}

/** A whole number; both bounds are inclusive. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): Option<number> {
  const isBounded = max !== Number.MAX_SAFE_INTEGER;
  const expected = isBounded ? `a whole number from ${min} to ${max}` : `a whole number of at least ${min}`;
  return own(expected, (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max);
}

/** The maximum delay of a timer in Node. */
export const maxTimerMs = 0x7fff_ffff;

/** A fraction from 0 to 1. */
export function share(): Option<number> {
  return own("a number from 0 to 1", (value) => typeof value === "number" && value >= 0 && value <= 1);
}

export function oneOf<const Name extends string>(...names: readonly Name[]): Option<Name> {
  const expected = `one of ${names.join(", ")}`;
  const accepts = (value: unknown): boolean => (names as readonly unknown[]).includes(value);
  return new Option<Name>(expected, accepts, { presence: "optional", more: { names } });
}

export function flag(): Option<boolean> {
  return own("true or false", (value) => typeof value === "boolean");
}

/** A non-empty string. */
export function text(expected = "a text that is not empty", form = /[\s\S]/): Option<string> {
  return own(expected, (value) => typeof value === "string" && form.test(value));
}

/** A metadata name for text that applications may use (gRPC over HTTP/2, "Custom-Metadata"). */
export function headerOption(): Option<string> {
  return text(
    'a header name in lower case that neither begins with "grpc-" nor ends in "-bin"',
    /^(?!grpc-)(?!.*-bin$)[a-z0-9_.-]+$/,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the function takes
export function callback<F extends (...args: any[]) => unknown>(): Option<F> {
  return own("a function", (value) => typeof value === "function");
}

/** An object or function with these methods. */
export function withMethods<T>(expected: string, ...methods: readonly (keyof T & string)[]): Option<T> {
  return own(
    expected,
    (value) =>
      ((typeof value === "object" && value !== null) || typeof value === "function") &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
  );
}

export function listOf<T>(item: Option<T>, expected: string, minItems = 0): Option<readonly T[]> {
  return new Option<readonly T[]>(expected, (value) => Array.isArray(value) && value.length >= minItems, {
    presence: "optional",
    more: { item: item.required() },
  });
}

/** A list of non-empty names. */
export function namesOption(): Option<readonly string[]> {
  return listOf(text(), "a list of names");
}

export function codesOption(): Option<readonly Code[]> {
  const code = own<Code>("a code, for example Code.Unavailable", (value) => typeof value === "number" && value in Code);
  return listOf(code, "a list of codes, for example [Code.Unavailable]");
}

export function logOption(): Option<Log> {
  return withMethods<Log>("a log with the methods debug, info, warn and error", "debug", "info", "warn", "error");
}

export function clockOption(): Option<Clock, "defaulted"> {
  return withMethods<Clock>("a clock with the methods nowMs and after", "nowMs", "after").or(systemClock);
}

/** A function that returns the time in milliseconds since 1970. */
export function wallClockOption(): Option<() => number, "defaulted"> {
  return callback<() => number>().or(Date.now);
}

export function servicesOption(): Option<readonly DescService[]> {
  const service = own<DescService>(
    "a service descriptor",
    (value) => isObject(value) && (value as { readonly kind?: unknown }).kind === "service",
  );
  return listOf(service, "a list of service descriptors, for example [UserService]");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
