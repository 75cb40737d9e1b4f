import { median } from "../measure/statistics.ts";
import type { Cost } from "./measure.ts";

/** A subject in a case: one turn in each round. */
export interface Turn extends Cost {
  readonly storedBytes: number;
  readonly peakBytes?: number;
}

/** Turns by case and subject. */
export type Turns = ReadonlyMap<string, ReadonlyMap<string, readonly Turn[]>>;

/** The most that a subject may take, in what a peer takes. */
interface Goal {
  readonly case: string;
  readonly subject: string;
  readonly peer: string;
  readonly most: number;
}

const goals: readonly Goal[] = [
  { case: "first", subject: "wimguard tar", peer: "restic", most: 0.8 },
  { case: "first", subject: "wimguard wim LZX:20", peer: "wimlib-imagex LZX:20", most: 1.1 },
  { case: "first", subject: "wimguard wim XPRESS", peer: "wimlib-imagex XPRESS", most: 1.1 },
  { case: "unchanged", subject: "wimguard tar", peer: "restic", most: 1.2 },
  { case: "unchanged", subject: "wimguard wim LZX:20", peer: "restic", most: 1.2 },
  { case: "changed", subject: "wimguard wim LZX:20", peer: "restic", most: 1.2 },
  { case: "restore", subject: "wimguard tar", peer: "tar | zstd -3", most: 1.15 },
  { case: "restore", subject: "wimguard wim LZX:20", peer: "wimlib-imagex LZX:20", most: 1.15 },
];

/** A goal with its figures: the median of the ratios of each round, by CPU time and by the clock. */
export interface GoalFigures extends Goal {
  readonly byCpu: number;
  readonly byWall: number;
  /** By CPU time, which a busy machine changes least. */
  readonly isMet: boolean;
}

/** The goals of which both sides were measured. */
export function judge(turns: Turns): GoalFigures[] {
  return goals.flatMap((goal) => {
    const subject = turns.get(goal.case)?.get(goal.subject) ?? [];
    const peer = turns.get(goal.case)?.get(goal.peer) ?? [];
    if (subject.length === 0 || subject.length !== peer.length) return [];
    const ratio = (key: "cpuSeconds" | "wallSeconds"): number =>
      median(subject.map((turn, at) => turn[key] / (peer[at]?.[key] ?? Number.NaN)));
    const byCpu = ratio("cpuSeconds");
    return [{ ...goal, byCpu, byWall: ratio("wallSeconds"), isMet: byCpu <= goal.most }];
  });
}

/** A table for each case, and the goals. */
export function render(turns: Turns, figures: readonly GoalFigures[]): string {
  const lines: string[] = [];
  for (const [name, subjects] of turns) {
    lines.push(row([name, "wall s", "CPU s", "stored MB", "peak MB"]));
    for (const [subject, all] of subjects) {
      const of = (read: (turn: Turn) => number): string => format(median(all.map(read)));
      const peak = all.every(({ peakBytes }) => peakBytes !== undefined)
        ? of(({ peakBytes = 0 }) => peakBytes / 1e6)
        : "";
      const stored = of(({ storedBytes }) => storedBytes / 1e6);
      lines.push(
        row([`  ${subject}`, of(({ wallSeconds }) => wallSeconds), of(({ cpuSeconds }) => cpuSeconds), stored, peak]),
      );
    }
    lines.push("");
  }
  for (const { case: name, subject, peer, most, byCpu, byWall, isMet } of figures) {
    const ratios = `${byCpu.toFixed(2)} by CPU time, ${byWall.toFixed(2)} by the clock`;
    lines.push(`${isMet ? "met   " : "MISSED"} ${name}: ${subject} at most ${most} × ${peer}: ${ratios}`);
  }
  return `${lines.join("\n")}\n`;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

function row([name = "", ...cells]: readonly string[]): string {
  return name.padEnd(26) + cells.map((cell) => cell.padStart(11)).join("");
}
