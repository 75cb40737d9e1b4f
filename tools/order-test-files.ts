import type { TestUsage } from "./test-usage.ts";

/**
 * The files in the order in which to start them: those that took longest in an earlier run first, so that none of them is left to
 * run alone at the end. Files of which nothing is known come before all others, as they may be long.
 */
export function orderTestFiles(files: readonly string[], usages: readonly TestUsage[]): string[] {
  const known = new Map(usages.map(({ file, seconds }) => [file, seconds]));
  const secondsOf = (file: string): number => known.get(file) ?? Number.POSITIVE_INFINITY;
  return files.toSorted((a, b) => {
    const [left, right] = [secondsOf(a), secondsOf(b)];
    return left === right ? 0 : right - left;
  });
}
