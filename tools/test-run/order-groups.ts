import type { TestUsage } from "./test-usage.ts";

/**
 * Orders groups of test files: those that took longest in an earlier run start first, so that none of them runs alone at the end.
 * Groups with a file that never ran start before all others, because they may take long.
 */
export function orderGroups(groups: readonly string[][], usages: readonly TestUsage[]): string[][] {
  const known = new Map(usages.map(({ file, seconds }) => [file, seconds]));
  const secondsOf = (group: readonly string[]): number =>
    group.reduce((sum, file) => sum + (known.get(file) ?? Number.POSITIVE_INFINITY), 0);
  return groups.toSorted((a, b) => {
    const [left, right] = [secondsOf(a), secondsOf(b)];
    return left === right ? 0 : right - left;
  });
}
