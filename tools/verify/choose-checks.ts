import type { Check } from "./checks.ts";
import type { CheckRecord } from "./record.ts";

export interface Choice {
  /** Names of checks; all if empty. */
  readonly names: readonly string[];
  /** Omits checks that have passed on this commit. */
  readonly passedOn?: string;
  /** The limit for the sum of the checks' own `minutes`. Default: no limit. */
  readonly minutes?: number;
}

/**
 * Returns the checks to run: those that never ran first, then by the date of their last run. With a limit, a check
 * that does not fit into the rest is skipped.
 */
export function chooseChecks(
  checks: readonly Check[],
  records: readonly CheckRecord[],
  { names, passedOn, minutes = Number.POSITIVE_INFINITY }: Choice,
): Check[] {
  const lastRun = new Map(records.map((record) => [record.name, record]));
  const dateOf = (check: Check): string => lastRun.get(check.name)?.date ?? "";
  const wanted = checks.filter(({ name }) => {
    const last = lastRun.get(name);
    const isDone = passedOn !== undefined && last?.hasPassed === true && last.commit === passedOn;
    return !isDone && (names.length === 0 || names.includes(name));
  });
  let left = minutes;
  return wanted
    .toSorted((a, b) => dateOf(a).localeCompare(dateOf(b)))
    .filter((check) => {
      if (check.minutes > left) return false;
      left -= check.minutes;
      return true;
    });
}
