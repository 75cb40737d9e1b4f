import {
  boolean,
  check,
  description,
  type GenericSchema,
  integer,
  maxLength,
  maxValue,
  metadata,
  minLength,
  minValue,
  number,
  picklist,
  pipe,
  regex,
  string,
} from "valibot";
import type { Secrecy } from "../document/mask.ts";

interface SettingOptions {
  readonly description?: string;
  /** Whether a change takes effect without a restart. Default false. */
  readonly reload?: boolean;
}

/** Returns the schema of a whole number within inclusive bounds. */
export function wholeNumber(
  min: number,
  max: number,
  options: SettingOptions & { readonly noun?: string } = {},
): GenericSchema<number, number> {
  const expects = `${options.noun ?? "a whole number"} from ${min} to ${max}`;
  const message = `expected ${expects}`;
  return pipe(
    number(message),
    integer(message),
    minValue(min, message),
    maxValue(max, message),
    metadata({ expects, reload: options.reload === true }),
    description(options.description ?? ""),
  );
}

/** Returns the schema of a port. */
export function port(options: SettingOptions = {}): GenericSchema<number, number> {
  return wholeNumber(0, 65_535, { noun: "a number", ...options });
}

/** Returns the schema of a share, from 0 to 1. */
export function share(options: SettingOptions = {}): GenericSchema<number, number> {
  const expects = "a number from 0 to 1";
  const message = `expected ${expects}`;
  return pipe(
    number(message),
    minValue(0, message),
    maxValue(1, message),
    metadata({ expects, reload: options.reload === true }),
    description(options.description ?? ""),
  );
}

/** Returns the schema of a boolean. `secret: false` shows it even if the key's name looks secret. */
export function flag(options: SettingOptions & { readonly secret?: false } = {}): GenericSchema<boolean, boolean> {
  const { secret } = options;
  return pipe(
    boolean("expected true or false"),
    metadata({
      expects: "true or false",
      reload: options.reload === true,
      ...(secret !== undefined && { secret }),
    }),
    description(options.description ?? ""),
  );
}

/** Returns the schema of an enumeration of words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: SettingOptions = {},
): GenericSchema<Word, Word> {
  const expects = words.length === 1 ? String(words[0]) : `one of ${words.join(", ")}`;
  return pipe(
    picklist(words, `expected ${expects}`),
    metadata({ expects, reload: options.reload === true }),
    description(options.description ?? ""),
  );
}

export interface TextOptions extends SettingOptions {
  /** After "expected". Default "text". */
  readonly expects?: string;
  readonly secret?: Secrecy;
  /** Default 0: empty text is allowed. */
  readonly minLength?: number;
  /** Default 8,192. */
  readonly maxLength?: number;
  readonly pattern?: RegExp;
}

/** Returns the schema of text. */
export function text(options: TextOptions = {}): GenericSchema<string, string> {
  const { expects = "text", secret } = options;
  const message = `expected ${expects}`;
  return pipe(
    string(message),
    minLength(options.minLength ?? 0, message),
    maxLength(options.maxLength ?? 8192, message),
    regex(options.pattern ?? /(?:)/, message),
    metadata({ expects, reload: options.reload === true, ...(secret !== undefined && { secret }) }),
    description(options.description ?? ""),
  );
}

/** Returns the schema of a URL with one of the schemes, `["http", "https"]`. A password in it is masked. */
export function url(
  schemes: readonly string[],
  options: SettingOptions & { readonly secret?: Secrecy } = {},
): GenericSchema<string, string> {
  const expects = `a URL that begins with ${schemes.map((scheme) => `${scheme}:`).join(" or ")}`;
  const message = `expected ${expects}`;
  return pipe(
    string(message),
    check((input) => URL.canParse(input) && schemes.includes(new URL(input).protocol.slice(0, -1)), message),
    metadata({ expects, reload: options.reload === true, secret: options.secret ?? "url" }),
    description(options.description ?? ""),
  );
}
