import { diff3Merge, diffComm } from "node-diff3";
import { conflictBlock } from "./conflict-block.ts";
import { linesOf, textOf } from "./lines.ts";
import type { MergeLabels, MergeResult } from "./merge-result.ts";

/** Three versions of one text. */
export interface TextVersions {
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
}

/** Applies the changes from `base` to `theirs` to `mine`, line by line. Lines that both changed differently are a conflict. */
export function mergeTexts({ base, mine, theirs }: TextVersions, labels: MergeLabels): MergeResult {
  let hasConflict = false;
  const regions = diff3Merge(linesOf(mine), linesOf(base), linesOf(theirs), { excludeFalseConflicts: true });
  const lines = regions.flatMap(({ ok, conflict }) => {
    if (conflict === undefined) return ok ?? [];
    hasConflict = true;
    return conflictBlock({ mine: conflict.a, base: conflict.o, theirs: conflict.b }, labels);
  });
  return { text: textOf(lines), hasConflict };
}

/** Merges two texts without a known ancestor: every difference is a conflict. */
export function mergeWithoutBase(mine: string, theirs: string, labels: MergeLabels): MergeResult {
  let hasConflict = false;
  const lines = diffComm(linesOf(mine), linesOf(theirs)).flatMap((part) => {
    if (part.common !== undefined) return part.common;
    hasConflict = true;
    return conflictBlock({ mine: part.buffer1, theirs: part.buffer2 }, labels);
  });
  return { text: textOf(lines), hasConflict };
}
