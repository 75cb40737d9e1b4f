import type { Check } from "./checks.ts";
import type { CheckRecord } from "./record.ts";

export interface Choice {
  /** Of checks; without one all of them. */
  readonly names: readonly string[];
  /** Leaves out what has passed on this commit. */
  readonly passedOn?: string;
  /** How long all of them may take together, by what the checks say of themselves. Default: without limit. */
  readonly minutes?: number;
}

/**
 * The checks to run, the one first that has waited longest: those that never ran, then by the date of their last run. With a limit a check
 * that does not fit in what is left is passed over.
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
