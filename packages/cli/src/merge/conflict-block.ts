import type { MergeLabels } from "./merge-result.ts";

export interface ConflictSides {
  readonly mine: readonly string[];
  /** What both began with, where it is known. */
  readonly base?: readonly string[];
  readonly theirs: readonly string[];
}

/** A conflict as Git writes one with `merge.conflictStyle = diff3`, so that editors know what to offer. */
export function conflictBlock({ mine, base, theirs }: ConflictSides, labels: MergeLabels): string[] {
  return [
    `<<<<<<< ${labels.mine}`,
    ...mine,
    ...(base === undefined ? [] : ["||||||| before", ...base]),
    "=======",
    ...theirs,
    `>>>>>>> ${labels.theirs}`,
  ];
}

/** True for a text in which a conflict is still to be resolved. */
export function hasConflictBlock(text: string): boolean {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith("<<<<<<< "));
  const middle = start === -1 ? -1 : lines.indexOf("=======", start);
  return middle !== -1 && lines.slice(middle).some((line) => line.startsWith(">>>>>>> "));
}
