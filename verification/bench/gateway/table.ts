import type { Outcome } from "../measure/interleave.ts";
import { median } from "../measure/statistics.ts";
import type { GatewayLoad } from "./loads.ts";

/** One subject in one case. */
export interface SubjectFigures {
  readonly subject: string;
  /** CPU time for one unit in µs, or memory for one in KiB, or time in ns: the less the better. */
  readonly cost?: number;
  /** For each second. */
  readonly rate?: number;
  /** How many times as much Tercel does for the same cost. */
  readonly times?: number;
  readonly leastTimes?: number;
  readonly failure?: string;
}

/** A case: what is counted, and what each subject costs. Tercel is the first. */
export interface Figures {
  readonly unit: string;
  /** The goal for Tercel's own cost, where there is one. */
  readonly mostCost?: number;
  readonly subjects: readonly SubjectFigures[];
}

export function figuresOf(load: GatewayLoad, outcomes: ReadonlyMap<string, Outcome>): Figures {
  const goals = new Map(load.rivals.map(({ subject, leastTimes }) => [subject as string, leastTimes]));
  const subjects: SubjectFigures[] = [...outcomes].map(([subject, outcome]) => {
    if ("failure" in outcome) return { subject, failure: outcome.failure };
    return {
      subject,
      cost: median(outcome.turns.map(({ cpuMicros = Number.NaN }) => cpuMicros)),
      rate: median(outcome.turns.map(({ value }) => value)),
    };
  });
  return {
    unit: `µs of CPU time a ${load.per}`,
    ...(load.leastPerSecond === undefined ? {} : { mostCost: 1e6 / load.leastPerSecond }),
    subjects: compare(subjects, goals, load.own),
  };
}

/** Adds how Tercel compares to each of the others. */
export function compare(
  subjects: readonly SubjectFigures[],
  goals: ReadonlyMap<string, number | undefined>,
  own: string,
): SubjectFigures[] {
  const sorted = [...subjects].sort((a, b) => Number(b.subject === own) - Number(a.subject === own));
  const ownCost = sorted[0]?.cost;
  return sorted.map((one) => {
    const leastTimes = goals.get(one.subject);
    const goal = leastTimes === undefined ? {} : { leastTimes };
    if (one.subject === own || one.cost === undefined || ownCost === undefined) return { ...one, ...goal };
    return { ...one, ...goal, times: one.cost / ownCost };
  });
}

export function render(name: string, { unit, mostCost, subjects }: Figures): string {
  const lines = subjects.map(({ subject, cost = 0, rate, times, leastTimes, failure }, at) => {
    const label = `  ${subject.padEnd(20)}`;
    if (failure !== undefined) return `${label} not measured: ${failure}`;
    const perSecond = rate === undefined ? "" : `  ${String(Math.round(rate)).padStart(8)}/s`;
    const own =
      at === 0 && mostCost !== undefined ? `  goal ≤ ${mostCost.toFixed(2)}: ${verdict(cost <= mostCost)}` : "";
    const compared = times === undefined ? "" : `  Tercel ${times.toFixed(2)} ×`;
    const goal =
      times === undefined || leastTimes === undefined ? "" : `, goal ${leastTimes}: ${verdict(times >= leastTimes)}`;
    return `${label} ${cost.toFixed(2).padStart(8)}${perSecond}${own}${compared}${goal}`;
  });
  return `${name}, ${unit}\n${lines.join("\n")}\n`;
}

function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}
