import type { MergeLabels } from "./merge-result.ts";

export interface ConflictSides {
  readonly mine: readonly string[];
  /** The common ancestor, if known. */
  readonly base?: readonly string[];
  readonly theirs: readonly string[];
}

/** Formats a conflict as Git does with `merge.conflictStyle = diff3`, so that editors recognize it. */
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

/** Whether a text contains an unresolved conflict. */
export function hasConflictBlock(text: string): boolean {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith("<<<<<<< "));
  const middle = start === -1 ? -1 : lines.indexOf("=======", start);
  return middle !== -1 && lines.slice(middle).some((line) => line.startsWith(">>>>>>> "));
}
