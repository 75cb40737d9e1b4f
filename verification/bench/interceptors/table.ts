import type { Outcome } from "../measure/interleave.ts";
import { median } from "../measure/statistics.ts";

/** The promise: this stack makes at least this share of the bare server's calls. */
export const promise = { stack: "all", leastShare: 0.6 } as const;

/** The figures of a stack, compared with the bare server. */
export interface StackFigures {
  readonly name: string;
  /** Calls or messages per second; undefined if it failed. */
  readonly rate?: number;
  /** CPU time per call or message. */
  readonly cpuMicros?: number;
  /** The CPU time that it adds to the bare server. */
  readonly addedMicros?: number;
  /** The share of the bare server's calls, by rate or by CPU time, whichever is lower, because a saturated load generator hides a slow server. */
  readonly share?: number;
  readonly failure?: string;
}

/** Compares within each round, because the other load of the machine changes slowly. */
export function stackFigures(outcomes: ReadonlyMap<string, Outcome>): StackFigures[] {
  const bare = outcomes.get("bare");
  if (bare === undefined || "failure" in bare) {
    return [...outcomes].map(([name, outcome]) => ({
      name,
      failure: "failure" in outcome ? outcome.failure : "the bare server has no figure",
    }));
  }
  return [...outcomes].map(([name, outcome]) => {
    if ("failure" in outcome) return { name, failure: outcome.failure };
    const pairs = outcome.turns.map((turn, round) => {
      const { value, cpuMicros = Number.NaN } = bare.turns[round] ?? { value: Number.NaN };
      const { cpuMicros: ownMicros = Number.NaN } = turn;
      return {
        added: ownMicros - cpuMicros,
        byRate: turn.value / value,
        byCpu: cpuMicros / ownMicros,
      };
    });
    return {
      name,
      rate: median(outcome.turns.map(({ value }) => value)),
      cpuMicros: median(outcome.turns.map(({ cpuMicros = Number.NaN }) => cpuMicros)),
      addedMicros: median(pairs.map(({ added }) => added)),
      share: Math.min(median(pairs.map(({ byRate }) => byRate)), median(pairs.map(({ byCpu }) => byCpu))),
    };
  });
}

const nameWidth = 14;
const columnWidth = 14;

/** Formats the figures of one load. */
export function renderStacks(load: string, per: string, figures: readonly StackFigures[]): string {
  const lines = figures.map(({ name, rate, cpuMicros, addedMicros, share, failure }) => {
    if (failure !== undefined) return `  ${name} FAILED: ${failure}`;
    const isPromised = name === promise.stack && load.startsWith("server/unary/");
    const note = isPromised ? ` (at least ${promise.leastShare * 100} % are promised)` : "";
    const added = `${(addedMicros ?? 0) < 0 ? "" : "+"}${addedMicros?.toFixed(2)}`;
    return (
      row(`  ${name}`, [
        Math.round(rate ?? 0).toLocaleString("en-US"),
        `${cpuMicros?.toFixed(2)}`,
        name === "bare" ? "" : added,
        `${Math.round((share ?? 0) * 100)} %`,
      ]) + note
    );
  });
  const heading = row(load, [`${per}s/s`, `CPU µs/${per}`, "added µs", "of bare"]);
  return `${["", heading, ...lines].join("\n")}\n`;
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(nameWidth + 6) + cells.map((cell) => cell.padStart(columnWidth)).join("");
}
