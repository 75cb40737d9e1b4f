import type { BenchCase } from "../case.ts";
import type { Outcome } from "../measure/interleave.ts";
import { advantage, median } from "../measure/statistics.ts";

/** Figures of a subject in a case. */
export interface Figures {
  /** Median of the rounds, in the case's unit. */
  value: number;
  /** Median CPU time of the subject's process per call, message or megabyte; missing where the case counts none. */
  cpuMicros?: number;
  /** The value of each round, in order: how far they lie apart says how much the machine did besides. */
  rounds: readonly number[];
}

export interface PeerFigures extends Figures {
  /** Above 1 Tercel is better; null when Tercel has no figure. */
  ratio: number | null;
  /** The same for the CPU time. */
  ratioCpu?: number | null;
}

export interface CaseResult {
  name: string;
  unit: string;
  /** What the CPU time is counted for. */
  per?: string;
  better: "higher" | "lower";
  /** Tercel's value; null when it has none, and `failures` says why. */
  tercel: number | null;
  cpuMicros?: number;
  rounds: readonly number[];
  peers: Record<string, PeerFigures>;
  /** Subjects without a figure, and the reason. */
  failures: Record<string, string>;
}

/** Something that was chosen but could not be measured here, because the machine lacks what it needs. */
export interface Skipped {
  name: string;
  reason: string;
}

/** What a run prints with --json. */
export interface BenchDocument {
  cases: readonly CaseResult[];
  skippedCases: readonly Skipped[];
  skippedPeers: readonly Skipped[];
  /** What a reader must consider before trusting a figure. */
  notes: readonly string[];
  /** What was measured, and when: a "+" after the commit says that files differed from it. */
  commit: string;
  date: string;
  options: { rounds: number; seconds: number };
  versions: Record<string, string>;
  machine: { cpu: string; cores: number; memoryBytes: number; kernel: string };
}

/** Turns the outcomes of a case into its result: medians, and ratios to Tercel's. */
export function caseResult(benchCase: BenchCase, outcomes: ReadonlyMap<string, Outcome>): CaseResult {
  const { name, unit, per, better } = benchCase;
  const failures: Record<string, string> = {};
  const figures = new Map<string, Figures>();
  for (const [subject, outcome] of outcomes) {
    if ("failure" in outcome) failures[subject] = outcome.failure;
    else figures.set(subject, toFigures(outcome));
  }
  const tercel = figures.get("tercel");
  const peers: Record<string, PeerFigures> = {};
  for (const [subject, peer] of figures) {
    if (subject === "tercel") continue;
    const ratio = tercel === undefined ? null : rounded(advantage(tercel.value, peer.value, better), 3);
    const cpu = peer.cpuMicros === undefined ? {} : { ratioCpu: cpuRatio(tercel?.cpuMicros, peer.cpuMicros) };
    peers[subject] = { ...peer, ratio, ...cpu };
  }
  return {
    name,
    unit,
    ...(per === undefined ? {} : { per }),
    better,
    tercel: tercel?.value ?? null,
    ...(tercel?.cpuMicros === undefined ? {} : { cpuMicros: tercel.cpuMicros }),
    rounds: tercel?.rounds ?? [],
    peers,
    failures,
  };
}

function toFigures({ turns }: { turns: readonly { value: number; cpuMicros?: number }[] }): Figures {
  const rounds = turns.map((turn) => rounded(turn.value, 1));
  const cpu = turns.flatMap((turn) => (turn.cpuMicros === undefined ? [] : [turn.cpuMicros]));
  const cpuMicros = cpu.length === 0 ? {} : { cpuMicros: rounded(median(cpu), 3) };
  return { value: rounded(median(rounds), 1), ...cpuMicros, rounds };
}

/** null without figures to divide: Tercel failed, or used less CPU time than the clock's steps can show. */
function cpuRatio(tercel: number | undefined, peer: number): number | null {
  return tercel === undefined || tercel === 0 ? null : rounded(advantage(tercel, peer, "lower"), 3);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
