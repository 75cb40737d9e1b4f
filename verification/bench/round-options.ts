import { parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";
import { UsageError } from "./options.ts";

/** The options of a benchmark with its own command line. */
export interface RoundOptions {
  /** The given words, in the known order; empty for all. */
  readonly chosen: readonly string[];
  /** Measurements of each subject, in turn. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Print the figures as JSON. */
  readonly json: boolean;
}

/**
 * Reads `[WORD …] [--rounds N] [--seconds S] [--json]`.
 *
 * @throws UsageError for unknown options and words, and for invalid numbers
 */
export function parseRoundOptions(
  words: readonly string[],
  defaults: Pick<RoundOptions, "rounds" | "seconds">,
  known: readonly string[],
): RoundOptions {
  const { values, positionals } = parse(words);
  const rounds = Number(values.rounds ?? defaults.rounds);
  const seconds = Number(values.seconds ?? defaults.seconds);
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new UsageError("--rounds has to be a whole number above 0.");
  if (!(seconds > 0 && seconds < Number.POSITIVE_INFINITY)) throw new UsageError("--seconds has to be above 0.");
  for (const word of positionals) {
    if (known.includes(word)) continue;
    const nearest = nearestName(word, known);
    throw new UsageError(
      nearest === undefined
        ? `"${word}" means nothing here.`
        : `"${word}" is none of ${known.join(", ")}; did you mean "${nearest}"?`,
    );
  }
  return { chosen: known.filter((name) => positionals.includes(name)), rounds, seconds, json: values.json ?? false };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { rounds: { type: "string" }, seconds: { type: "string" }, json: { type: "boolean" } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
