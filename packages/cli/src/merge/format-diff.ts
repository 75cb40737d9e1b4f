import { diffIndices } from "node-diff3";
import { linesOf } from "./lines.ts";

const contextLines = 3;

interface Edit {
  /** First line and count in the old and the new text. */
  readonly before: readonly [at: number, count: number];
  readonly after: readonly [at: number, count: number];
}

/** Formats the difference of two versions of a file as `diff -u`, which `git apply` accepts. Empty for equal versions. */
export function formatDiff(path: string, before: string | undefined, after: string): string {
  const [old, now] = [linesOf(before ?? ""), linesOf(after)];
  const edits = diffIndices(old, now).map(({ buffer1, buffer2 }): Edit => ({ before: buffer1, after: buffer2 }));
  if (edits.length === 0) return "";
  const header = [`--- ${before === undefined ? "/dev/null" : `a/${path}`}`, `+++ b/${path}`];
  return [...header, ...groupEdits(edits).flatMap((group) => formatHunk(group, old, now)), ""].join("\n");
}

/** Groups edits whose context lines overlap. */
function groupEdits(edits: readonly Edit[]): Edit[][] {
  const groups: Edit[][] = [];
  for (const edit of edits) {
    const last = groups.at(-1)?.at(-1);
    const isNear = last !== undefined && edit.before[0] - (last.before[0] + last.before[1]) <= 2 * contextLines;
    if (isNear) groups.at(-1)?.push(edit);
    else groups.push([edit]);
  }
  return groups;
}

function formatHunk(edits: readonly Edit[], old: readonly string[], now: readonly string[]): string[] {
  const [first, last] = [edits[0] as Edit, edits.at(-1) as Edit];
  const start = Math.max(0, first.before[0] - contextLines);
  const end = Math.min(old.length, last.before[0] + last.before[1] + contextLines);
  const startNow = first.after[0] - (first.before[0] - start);
  const body: string[] = [];
  let at = start;
  for (const { before, after } of edits) {
    body.push(...old.slice(at, before[0]).map((line) => ` ${line}`));
    body.push(...old.slice(before[0], before[0] + before[1]).map((line) => `-${line}`));
    body.push(...now.slice(after[0], after[0] + after[1]).map((line) => `+${line}`));
    at = before[0] + before[1];
  }
  body.push(...old.slice(at, end).map((line) => ` ${line}`));
  const countNow = body.filter((line) => !line.startsWith("-")).length;
  return [`@@ -${range(start, end - start)} +${range(startNow, countNow)} @@`, ...body];
}

/** Formats a range. Lines count from 1; an empty range names the line before it. */
function range(start: number, count: number): string {
  return `${count === 0 ? start : start + 1},${count}`;
}
