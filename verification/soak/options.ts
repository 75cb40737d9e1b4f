import { parseArgs } from "node:util";

/** The options of a soak. Absent ones have the default of the soak. */
export interface SoakOptions {
  readonly seconds: number | undefined;
  /** The number of connections, for a soak that counts them. */
  readonly count: number | undefined;
  /** Calls per second. */
  readonly rate: number | undefined;
}

/** @throws Error that describes the problem of the command line */
export function parseOptions(args: readonly string[]): { names: string[]; options: SoakOptions } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seconds: { type: "string" }, count: { type: "string" }, rate: { type: "string" } },
  });
  const number = (name: keyof SoakOptions): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    if (!/^[1-9][0-9]{0,8}$/.test(text))
      throw new Error(`--${name} is "${text}"; it has to be a whole number from 1 on`);
    return Number(text);
  };
  return { names: positionals, options: { seconds: number("seconds"), count: number("count"), rate: number("rate") } };
}
