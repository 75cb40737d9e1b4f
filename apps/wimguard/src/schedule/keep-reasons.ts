import type { StoredBackup } from "../catalog/backup-store.ts";
import type { NamedStore } from "../catalog/named-store.ts";
import { FailureError } from "../failure/failure.ts";
import { isEmptyPolicy } from "../retention/retention.ts";
import type { RetentionService } from "./retention-service.ts";
import type { Schedule } from "./schedule-item.ts";

/** Says why retention keeps a snapshot. */
export type KeepReasons = (snapshot: Pick<StoredBackup, "uuid" | "scheduleUuid">) => readonly string[];

/**
 * Creates what says why snapshots are kept, for one response: each schedule is decided once. Nothing is said of snapshots that belong to no
 * schedule, or to one that keeps everything.
 */
export function createKeepReasons(
  schedules: Pick<NamedStore<Schedule>, "get">,
  retention: Pick<RetentionService, "explain">,
): KeepReasons {
  const reasonsOf = new Map<string, ReadonlyMap<string, readonly string[]>>();
  return ({ uuid, scheduleUuid }) => {
    const schedule = scheduleUuid === "" ? undefined : schedules.get(scheduleUuid);
    if (schedule === undefined || isEmptyPolicy(schedule.retention)) return [];
    const known = reasonsOf.get(scheduleUuid) ?? decide(schedule, retention);
    reasonsOf.set(scheduleUuid, known);
    return known.get(uuid) ?? [];
  };
}

function decide(
  schedule: Schedule,
  retention: Pick<RetentionService, "explain">,
): ReadonlyMap<string, readonly string[]> {
  try {
    const { verdicts } = retention.explain(schedule, schedule.retention);
    return new Map(verdicts.map(({ uuid, reasons }) => [uuid, reasons]));
  } catch (error) {
    // A policy that would drop everything is not applied.
    if (error instanceof FailureError) return new Map();
    throw error;
  }
}
