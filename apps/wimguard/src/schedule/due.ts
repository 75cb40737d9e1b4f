import { createHash } from "node:crypto";
import type { CronTimes } from "./cron-times.ts";

/** Later than this is missed: the daemon was not running, or the machine was asleep. */
const missedAfterMs = 120_000;

export interface DueOptions {
  readonly times: CronTimes;
  readonly jitterMs: number;
  readonly catchUp: "latest" | "none";
  /** 0 for no limit. */
  readonly maxLatenessMs: number;
}

/** What is to be done about the times that have come. */
export type Due =
  | { readonly kind: "nothing" }
  | { readonly kind: "run"; readonly atMs: number }
  /** It was missed, and is not caught up. */
  | { readonly kind: "missed"; readonly atMs: number };

/**
 * Decides about the times after the last one that was taken care of. However many there are, there is one run, for the latest of them. A
 * clock that goes back repeats nothing, because the last time is then in the future.
 */
export function decideDue(lastHandledMs: number, nowMs: number, options: DueOptions): Due {
  const { times, jitterMs, catchUp, maxLatenessMs } = options;
  const latest = times.last(nowMs - jitterMs);
  if (latest === undefined || latest <= lastHandledMs) return { kind: "nothing" };
  const latenessMs = nowMs - jitterMs - latest;
  const isTooLate = maxLatenessMs > 0 && latenessMs > maxLatenessMs;
  const isMissed = latenessMs > missedAfterMs && catchUp === "none";
  return { kind: isTooLate || isMissed ? "missed" : "run", atMs: latest };
}

/** The part of the jitter that is a schedule's own: always the same. */
export function jitterOf(scheduleUuid: string, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  return createHash("sha256").update(scheduleUuid).digest().readUInt32BE(0) % jitterMs;
}

/** No good run for one and a half times the time between two runs. */
export function isOverdue(times: CronTimes, lastGoodMs: number, nowMs: number): boolean {
  const next = times.next(lastGoodMs);
  const after = next === undefined ? undefined : times.next(next);
  if (next === undefined || after === undefined) return false;
  return nowMs > lastGoodMs + 1.5 * (after - next) && nowMs > next;
}
