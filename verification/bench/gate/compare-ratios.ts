import { median } from "../measure/statistics.ts";
import type { BenchDocument, CaseResult } from "../report/document.ts";

/** The loss of CPU time in a case above which the gate fails. */
export const tolerance = 0.05;

/** The change of a case's CPU time relative to the peers, between two runs. */
export interface RatioChange {
  readonly name: string;
  /** The median over the peers of the change of the ratio. Above 1 means that Tercel has gained. Undefined if nothing can be compared. */
  readonly change?: number;
  /** Peers that were compared. */
  readonly peers: readonly string[];
  readonly isLost: boolean;
  /** Why nothing can be compared. */
  readonly reason?: string;
}

/**
 * Compares the ratios of CPU time to the peers of the same run, so that a slower or busier machine in one of the runs does not matter.
 * A peer counts if both runs had the same version of it. Cases without CPU time are omitted.
 */
export function compareRatios(now: BenchDocument, base: BenchDocument, names: readonly string[]): RatioChange[] {
  const sameVersion = (peer: string): boolean => now.versions[peer] === base.versions[peer];
  return names.flatMap((name) => {
    const before = base.cases.find((one) => one.name === name);
    const after = now.cases.find((one) => one.name === name);
    if (before !== undefined && before.per === undefined) return [];
    return [changeOf(name, before, after, sameVersion)];
  });
}

function changeOf(
  name: string,
  before: CaseResult | undefined,
  after: CaseResult | undefined,
  sameVersion: (peer: string) => boolean,
): RatioChange {
  const missing = (reason: string): RatioChange => ({ name, peers: [], isLost: false, reason });
  if (before === undefined) return missing("the earlier run has no such case");
  if (after === undefined) return missing("this run could not measure it");
  if (after.failures.tercel !== undefined) return missing(after.failures.tercel);
  const changes = new Map<string, number>();
  for (const [peer, { ratioCpu }] of Object.entries(after.peers)) {
    const earlier = before.peers[peer]?.ratioCpu;
    if (ratioCpu && earlier && sameVersion(peer)) changes.set(peer, ratioCpu / earlier);
  }
  if (changes.size === 0) return missing("no peer has a figure of the same version in both runs");
  const change = median([...changes.values()]);
  return { name, change, peers: [...changes.keys()], isLost: change < 1 - tolerance };
}

/** Whether every case was compared and none has lost. */
export function isPassed(changes: readonly RatioChange[]): boolean {
  return changes.length > 0 && changes.every(({ isLost, change }) => !isLost && change !== undefined);
}

const nameWidth = 28;

export function renderChanges(changes: readonly RatioChange[], base: Pick<BenchDocument, "commit" | "date">): string {
  const lines = changes.map(({ name, change, peers, isLost, reason }) => {
    if (change === undefined) return `${name.padEnd(nameWidth)}NOT COMPARED: ${reason}`;
    const percent = `${change < 1 ? "" : "+"}${((change - 1) * 100).toFixed(1)} %`;
    return `${name.padEnd(nameWidth)}${percent.padStart(9)}  next to ${peers.join(", ")}${isLost ? "  LOST" : ""}`;
  });
  const heading = `CPU time next to the peers', against ${base.commit} of ${base.date}; a loss over ${tolerance * 100} % fails:`;
  return `${[heading, ...lines].join("\n")}\n`;
}
