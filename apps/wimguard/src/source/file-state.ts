import type { BigIntStats } from "node:fs";

/**
 * A file that changed this short a time ago may change again without a new time: file systems count in steps of some milliseconds. Its
 * state is not remembered, and the next backup reads it again.
 */
const settledAfterNs = 2_000_000_000n;

/**
 * What shows that an entry is as it was: every change of content or attributes gives its inode a new time, which no program can set.
 * Undefined for an entry that may change unseen, and for one with several names, which only make sense together.
 */
export function fileState(stats: BigIntStats, nowMs: number): string | undefined {
  if (stats.nlink > 1n && !stats.isDirectory()) return undefined;
  if (stats.ctimeNs + settledAfterNs > BigInt(Math.floor(nowMs)) * 1_000_000n) return undefined;
  return stateText(stats);
}

/** The same without a look at the clock, to compare with one that was remembered. */
export function stateText({ ino, ctimeNs }: BigIntStats): string {
  return `${ino}.${ctimeNs}`;
}
