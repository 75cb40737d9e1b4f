import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../options.ts";

/** The options of a comparison of two checkouts. */
export interface CompareOptions {
  /** The folder of Tercel's server and client in the other checkout, which must be installed with `npm ci`. */
  readonly basePrograms: string;
  /** Names of the cases, in the catalogue's order. */
  readonly cases: readonly string[];
  /** How often both checkouts get new processes, because V8 compiles each process slightly differently. */
  readonly sittings: number;
  /** Pairs of measurements in each sitting. */
  readonly pairs: number;
  /** Length of one measurement. */
  readonly seconds: number;
}

/** The current folder, and those in older checkouts. */
const programFolders = ["verification/bench/peers/tercel", "bench/peers/tercel"];

/**
 * Reads `--base FOLDER [WORD …] [--sittings N] [--pairs N] [--seconds S]`.
 *
 * @throws UsageError for a folder that is not a checkout, unknown options, words that no case contains, and bad numbers
 */
export function parseCompareOptions(words: readonly string[], known: readonly string[]): CompareOptions {
  const { values, positionals } = parse(words);
  if (values.base === undefined) throw new UsageError("--base needs the folder of the checkout to compare with");
  const base = resolve(values.base);
  const basePrograms = programFolders.map((folder) => join(base, folder)).find((folder) => existsSync(folder));
  if (basePrograms === undefined || !existsSync(join(base, "node_modules"))) {
    throw new UsageError(
      `--base ${values.base}: not a checkout of this repository with its packages installed (npm ci)`,
    );
  }
  // A whole name selects that case alone; otherwise "client/stream" would also select "tls/client/stream".
  const isMeant = (name: string, word: string): boolean => (known.includes(word) ? name === word : name.includes(word));
  const cases = known.filter((name) => positionals.length === 0 || positionals.some((word) => isMeant(name, word)));
  if (cases.length === 0) {
    throw new UsageError(`no case has ${positionals.join(" or ")} in its name; the cases are ${known.join(", ")}`);
  }
  const sittings = wholeNumber("--sittings", values.sittings);
  const pairs = wholeNumber("--pairs", values.pairs);
  if (sittings * pairs < 2) throw new UsageError("an interval needs at least two pairs");
  const seconds = Number(values.seconds);
  if (!(seconds >= 0.2 && seconds <= 600)) {
    throw new UsageError(`invalid --seconds "${values.seconds}": expected a number from 0.2 to 600`);
  }
  return { basePrograms, cases, sittings, pairs, seconds };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        base: { type: "string" },
        sittings: { type: "string", default: "5" },
        pairs: { type: "string", default: "3" },
        seconds: { type: "string", default: "2" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 99) {
    throw new UsageError(`invalid ${name} "${text}": expected a whole number from 1 to 99`);
  }
  return value;
}
