import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";

/** The options of a run of the benchmarks. */
export interface BenchOptions {
  /** Names of the cases to run, in the catalogue's order. */
  cases: readonly string[];
  /** Names of the peers to compare with Tercel. */
  peers: readonly string[];
  /** Measurements of each subject in each case. The result is their median. Default 3, the minimum whose median ignores an outlier. */
  rounds: number;
  /** Length of one measurement. Default 3: CPU time has steps of 10 ms, so this is accurate to 0.3 %. */
  seconds: number;
  /** Print only the JSON document on stdout. */
  json: boolean;
  /** Print the table in the format of docs/benchmarks.md. `json` has precedence. */
  markdown: boolean;
  /** File in which the document is stored after each case. Its cases are not measured again. */
  into?: string;
  /** Start no case that would end later. Default: no limit. */
  minutes?: number;
  /** File of an earlier document. A loss above 5 % in CPU time fails the run. */
  compare?: string;
  help: boolean;
}

/** An invalid command line. The message names the valid values. */
export class UsageError extends Error {}

const OPTIONS = {
  json: { type: "boolean" },
  markdown: { type: "boolean" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  peers: { type: "string" },
  into: { type: "string" },
  minutes: { type: "string" },
  compare: { type: "string" },
  help: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;
const NAMES = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
const MAX_ROUNDS = 99;
/** With less, the 10 ms steps of CPU time cause errors above 5 %. */
const MIN_SECONDS = 0.2;
const MAX_SECONDS = 600;
const MAX_MINUTES = 1440;

/**
 * Parses the command line. Words select every case whose name contains one of them, and a whole name selects that case alone.
 * Without words, all cases are selected. Throws a `UsageError`.
 */
export function parseOptions(
  words: readonly string[],
  known: { cases: readonly string[]; peers: readonly string[] },
): BenchOptions {
  const given = parseArgs({ args: [...words], allowPositionals: true, strict: false, tokens: true, options: OPTIONS });
  const values = new Map<keyof typeof OPTIONS, string>();
  for (const token of given.tokens) {
    if (token.kind !== "option") continue;
    const name = NAMES.find((one) => one === token.name);
    if (name === undefined) throw unknownOption(token.rawName, token.name);
    const isFlag = OPTIONS[name].type === "boolean";
    if (isFlag && token.value !== undefined) throw new UsageError(`--${name} takes no value.`);
    if (!isFlag && (token.value ?? "") === "") throw new UsageError(`--${name} needs a value.`);
    values.set(name, token.value ?? "");
  }
  const { positionals } = given;
  const [into, compare, minutes] = [values.get("into"), values.get("compare"), values.get("minutes")];
  return {
    cases: positionals.length === 0 ? known.cases : matchingCases(positionals, known.cases),
    peers: values.has("peers") ? peerNames(values.get("peers") ?? "", known.peers) : known.peers,
    rounds: wholeNumber("--rounds", values.get("rounds") ?? "3"),
    seconds: numberBetween("--seconds", values.get("seconds") ?? "3", MIN_SECONDS, MAX_SECONDS),
    json: values.has("json"),
    markdown: values.has("markdown"),
    ...(into !== undefined && { into }),
    ...(compare !== undefined && { compare }),
    ...(minutes !== undefined && { minutes: numberBetween("--minutes", minutes, 1, MAX_MINUTES) }),
    help: values.has("help"),
  };
}

function unknownOption(rawName: string, name: string): UsageError {
  const all = `All are ${NAMES.map((one) => `--${one}`).join(", ")}.`;
  return new UsageError(`Unknown option ${rawName}.${nearest(name, NAMES, "--")} ${all}`);
}

/** Returns a sentence with the nearest known name; empty if none is near. */
function nearest(name: string, names: readonly string[], prefix = ""): string {
  const found = nearestName(name, names);
  return found === undefined ? "" : ` The nearest is ${prefix}${found}.`;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_ROUNDS) {
    throw new UsageError(`${name} has to be a whole number from 1 to ${MAX_ROUNDS}, not "${text}".`);
  }
  return value;
}

function numberBetween(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${name} has to be a number from ${least} to ${most}, not "${text}".`);
  }
  return value;
}

function peerNames(text: string, known: readonly string[]): readonly string[] {
  if (text === "none") return [];
  const names = text.split(",");
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`Unknown peer "${name}".${nearest(name, known)} All are ${known.join(", ")}, or "none".`);
    }
  }
  return known.filter((name) => names.includes(name));
}

function matchingCases(patterns: readonly string[], known: readonly string[]): readonly string[] {
  // A whole name selects that case alone, although client/unary/100 also begins with client/unary/1.
  const chooses = (pattern: string, name: string) =>
    known.includes(pattern) ? name === pattern : name.includes(pattern);
  const matching = known.filter((name) => patterns.some((pattern) => chooses(pattern, name)));
  if (matching.length > 0) return matching;
  const asked = patterns.map((pattern) => `"${pattern}"`).join(" or ");
  throw new UsageError(
    `No case has ${asked} in its name. The cases are:\n${known.map((name) => `  ${name}`).join("\n")}`,
  );
}
