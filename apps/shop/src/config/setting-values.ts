/** How a setting's text is read, and what to say when it cannot be. */
export interface SettingValue<Value> {
  /** Completes "… must be". */
  readonly what: string;
  /** Undefined for a text that is no such value. */
  parse(text: string): Value | undefined;
}

export const anyText: SettingValue<string> = { what: "a text", parse: (text) => text };

export function oneOf<Word extends string>(words: readonly Word[]): SettingValue<Word> {
  return { what: listed(words), parse: (text) => words.find((word) => word === text) };
}

export function wholeNumber(
  min: number,
  max: number,
  what = `a whole number from ${min} to ${max}`,
): SettingValue<number> {
  return {
    what,
    parse(text) {
      if (!/^[0-9]{1,12}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A share, such as 0.25. */
export const share: SettingValue<number> = {
  what: "a number from 0 to 1",
  parse: (text) => (/^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$/.test(text) ? Number(text) : undefined),
};

/** An address of a protocol; empty for none. Each is taken with an "s" behind it as well, for TLS. */
export function urlOrNone(protocol: string): SettingValue<string> {
  return {
    what: `a URL that begins with ${protocol}:// or ${protocol}s://`,
    parse(text) {
      if (text === "") return "";
      if (!URL.canParse(text)) return undefined;
      return [`${protocol}:`, `${protocol}s:`].includes(new URL(text).protocol) ? text : undefined;
    },
  };
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
