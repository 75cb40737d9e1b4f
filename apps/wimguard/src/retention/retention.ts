import { fail } from "../failure/failure.ts";
import { createPeriodKeys, type Period } from "./period-keys.ts";

/** What retention must know of a snapshot. */
export interface RetainedSnapshot {
  readonly uuid: string;
  readonly createTimeMs: number;
  /** Restorable as far as is known: neither damaged nor missing. */
  readonly isGood: boolean;
  readonly isPinned?: boolean;
  /** A restore, a check or another job reads it now. */
  readonly isInUse?: boolean;
  /** When a drill last proved that it can be restored. */
  readonly drillTimeMs?: number;
  /** As `key:value`. */
  readonly tags?: readonly string[];
}

/** How much to keep; 0 or absent keeps nothing by that rule. */
export interface RetentionPolicy {
  /** The newest so many. */
  readonly last?: number;
  /** The newest snapshot of each of the last so many hours that have one; the others alike. */
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Every snapshot at most this much older than the newest. */
  readonly withinMs?: number;
  /** Every snapshot with one of these tags. */
  readonly keepTags?: readonly string[];
}

/** Whether a snapshot is kept, and why. One that is dropped has no reasons. */
export interface Verdict {
  readonly uuid: string;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

export interface RetentionContext {
  /** IANA name of the zone whose days, weeks and months count. */
  readonly timeZone: string;
  readonly nowMs: number;
}

const periods = ["hourly", "daily", "weekly", "monthly", "yearly"] as const satisfies readonly Period[];

/**
 * Decides which snapshots to keep, for any engine; a snapshot is kept if any rule keeps it. A period counts only if it has a snapshot, so
 * a machine that was switched off for a year loses nothing. The newest good snapshot, the one a drill proved last, pinned ones, those
 * in use and those dated in the future are always kept.
 *
 * @returns verdicts in the order of the snapshots
 * @throws FailureError RETENTION_UNSAFE for a policy that keeps nothing
 */
export function decideRetention(
  snapshots: readonly RetainedSnapshot[],
  policy: RetentionPolicy,
  context: RetentionContext,
): Verdict[] {
  refuseEmptyPolicy(policy);
  const reasons = new Map<string, string[]>(snapshots.map(({ uuid }) => [uuid, []]));
  const keep = (snapshot: RetainedSnapshot, reason: string): void => void reasons.get(snapshot.uuid)?.push(reason);
  // The uuid decides between two of the same moment, so that the verdict does not depend on the order.
  const newestFirst = snapshots
    .filter(({ isGood }) => isGood)
    .sort((a, b) => b.createTimeMs - a.createTimeMs || (a.uuid < b.uuid ? 1 : -1));

  newestFirst.slice(0, policy.last ?? 0).forEach((snapshot, at) => {
    keep(snapshot, `last ${at + 1} of ${policy.last}`);
  });
  const keysOf = createPeriodKeys(context.timeZone);
  for (const period of periods) {
    const limit = policy[period] ?? 0;
    const seen = new Set<string>();
    for (const snapshot of newestFirst) {
      if (seen.size === limit) break;
      const key = keysOf(snapshot.createTimeMs)[period];
      if (seen.has(key)) continue;
      seen.add(key);
      keep(snapshot, `${period} ${seen.size} of ${limit}: ${key}`);
    }
  }
  const newest = newestFirst[0];
  if (newest !== undefined && policy.withinMs !== undefined && policy.withinMs > 0) {
    const oldestMs = newest.createTimeMs - policy.withinMs;
    for (const snapshot of newestFirst)
      if (snapshot.createTimeMs >= oldestMs) keep(snapshot, "within the time to keep");
  }
  for (const snapshot of newestFirst) {
    const tag = policy.keepTags?.find((one) => snapshot.tags?.includes(one));
    if (tag !== undefined) keep(snapshot, `tag ${tag}`);
  }
  for (const [snapshot, reason] of protectedSnapshots(snapshots, newest, context.nowMs)) keep(snapshot, reason);
  return snapshots.map(({ uuid }) => {
    const own = reasons.get(uuid) ?? [];
    return { uuid, keep: own.length > 0, reasons: own };
  });
}

function* protectedSnapshots(
  snapshots: readonly RetainedSnapshot[],
  newestGood: RetainedSnapshot | undefined,
  nowMs: number,
): Generator<[RetainedSnapshot, string]> {
  if (newestGood !== undefined) yield [newestGood, "newest good snapshot"];
  let drilled: RetainedSnapshot | undefined;
  for (const snapshot of snapshots) {
    const { isPinned, isInUse, createTimeMs, drillTimeMs } = snapshot;
    if (isPinned === true) yield [snapshot, "pinned"];
    if (isInUse === true) yield [snapshot, "in use"];
    if (createTimeMs > nowMs) yield [snapshot, "dated in the future"];
    if (drillTimeMs !== undefined && drillTimeMs > (drilled?.drillTimeMs ?? Number.NEGATIVE_INFINITY))
      drilled = snapshot;
  }
  if (drilled !== undefined) yield [drilled, "newest that a drill restored"];
}

/** Whether a policy has no rule at all. */
export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const counts = [policy.last, ...periods.map((period) => policy[period]), policy.withinMs];
  return !counts.some((count) => count !== undefined && count > 0) && (policy.keepTags?.length ?? 0) === 0;
}

function refuseEmptyPolicy(policy: RetentionPolicy): void {
  if (!isEmptyPolicy(policy)) return;
  fail({
    reason: "RETENTION_UNSAFE",
    message:
      "the retention keeps nothing: set at least one of last, hourly, daily, weekly, monthly, yearly, within or keep_tags",
  });
}
