import type { TestUsage } from "./test-usage.ts";

/**
 * The groups of test files in the order in which to start them: those that took longest in an earlier run first, so that none of them is
 * left to run alone at the end. Groups with a file of which nothing is known come before all others, as they may be long.
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
