import { nearestName } from "./nearest-name.ts";

/** What a run of the benchmarks was asked to do. */
export interface BenchOptions {
  /** Names of the cases to run, in the catalogue's order. */
  cases: readonly string[];
  /** Names of the peers to measure next to Tercel. */
  peers: readonly string[];
  /** Measurements of each subject in each case; their median is quoted. Default 3, the least whose median drops an outlier on either side. */
  rounds: number;
  /** Length of one measurement. Default 3: CPU time is counted in steps of 10 ms, so this is exact to 0.3 %. */
  seconds: number;
  /** Print only the JSON document on stdout. */
  json: boolean;
  /** Print the table as docs/benchmarks.md shows it. Of two forms the JSON document is printed. */
  markdown: boolean;
  help: boolean;
}

/** A command line that asks for something that does not exist; its message says what does. */
export class UsageError extends Error {}

const NAMES = ["--json", "--markdown", "--rounds", "--seconds", "--peers", "--help"];
const MAX_ROUNDS = 99;
/** Below this, the 10 ms steps of CPU time make figures that are off by more than 5 %. */
const MIN_SECONDS = 0.2;
const MAX_SECONDS = 600;

/**
 * Reads the command line against the names that exist. Bare words choose every case whose name contains one of them, a whole name that case alone;
 * no word chooses all. Throws a `UsageError`.
 */
export function parseOptions(
  words: readonly string[],
  known: { cases: readonly string[]; peers: readonly string[] },
): BenchOptions {
  const options: BenchOptions = {
    cases: known.cases,
    peers: known.peers,
    rounds: 3,
    seconds: 3,
    json: false,
    markdown: false,
    help: false,
  };
  const patterns: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith("-")) {
      patterns.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const inlineValue = equals < 0 ? undefined : word.slice(equals + 1);
    const value = (): string => {
      const text = inlineValue ?? rest.shift();
      if (text === undefined || text === "") throw new UsageError(`${name} needs a value.`);
      return text;
    };
    const flag = (): true => {
      if (inlineValue !== undefined) throw new UsageError(`${name} takes no value.`);
      return true;
    };
    switch (name) {
      case "--json":
        options.json = flag();
        break;
      case "--markdown":
        options.markdown = flag();
        break;
      case "--help":
        options.help = flag();
        break;
      case "--rounds":
        options.rounds = wholeNumber(name, value());
        break;
      case "--seconds":
        options.seconds = seconds(name, value());
        break;
      case "--peers":
        options.peers = peerNames(value(), known.peers);
        break;
      default:
        throw new UsageError(
          `There is no option ${name}. The nearest is ${nearestName(name, NAMES)}; all are ${NAMES.join(", ")}.`,
        );
    }
  }
  if (patterns.length > 0) options.cases = matchingCases(patterns, known.cases);
  return options;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_ROUNDS) {
    throw new UsageError(`${name} has to be a whole number from 1 to ${MAX_ROUNDS}, not "${text}".`);
  }
  return value;
}

function seconds(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= MIN_SECONDS && value <= MAX_SECONDS)) {
    throw new UsageError(`${name} has to be a number from ${MIN_SECONDS} to ${MAX_SECONDS}, not "${text}".`);
  }
  return value;
}

function peerNames(text: string, known: readonly string[]): readonly string[] {
  if (text === "none") return [];
  const names = text.split(",");
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(
        `There is no peer "${name}". The nearest is ${nearestName(name, known)}; all are ${known.join(", ")}, or "none".`,
      );
    }
  }
  return known.filter((name) => names.includes(name));
}

function matchingCases(patterns: readonly string[], known: readonly string[]): readonly string[] {
  // A whole name means that case alone, although client/unary/1 begins client/unary/100 as well.
  const chooses = (pattern: string, name: string) =>
    known.includes(pattern) ? name === pattern : name.includes(pattern);
  const matching = known.filter((name) => patterns.some((pattern) => chooses(pattern, name)));
  if (matching.length > 0) return matching;
  const asked = patterns.map((pattern) => `"${pattern}"`).join(" or ");
  throw new UsageError(
    `No case has ${asked} in its name. The cases are:\n${known.map((name) => `  ${name}`).join("\n")}`,
  );
}
