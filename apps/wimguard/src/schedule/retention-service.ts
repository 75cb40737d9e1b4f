import type { BackupService } from "../backup/backup-service.ts";
import type { BackupStore, StoredBackup } from "../catalog/backup-store.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import { decideRetention, isEmptyPolicy, type RetentionPolicy, type Verdict } from "../retention/retention.ts";
import { localZone } from "./cron-times.ts";
import type { Schedule } from "./schedule-item.ts";

/** What waits for its deletion can be taken back for so long. */
const purgeAfterMs = 24 * 3_600_000;

export interface Explained {
  readonly verdicts: readonly Verdict[];
  /** By deleting what is dropped. */
  readonly freedBytes: number;
}

/** What an application of a schedule's retention has done. */
export interface AppliedRetention {
  readonly kept: number;
  /** Those that wait for their deletion now. */
  readonly dropped: number;
}

/** Keeps the snapshots of schedules that their policies keep. */
export interface RetentionService {
  /** @throws FailureError RETENTION_UNSAFE for a policy that keeps nothing */
  explain(schedule: Schedule, policy: RetentionPolicy): Explained;
  /** Marks what the schedule's own policy drops; it is deleted a day later. */
  apply(schedule: Schedule): AppliedRetention;
  /** Deletes what has waited long enough, and returns the uuids. One that cannot be deleted is tried again the next time. */
  purge(onProblem: (uuid: string, error: unknown) => void): Promise<string[]>;
}

export interface RetentionParts {
  readonly store: BackupStore;
  readonly backups: BackupService;
  readonly use: ArchiveUse;
  nowMs(): number;
}

export function createRetentionService({ store, backups, use, nowMs }: RetentionParts): RetentionService {
  function explain(schedule: Schedule, policy: RetentionPolicy): Explained {
    const snapshots = store.ofSchedule(schedule.uuid);
    const timeZone = schedule.timeZone === "" ? localZone() : schedule.timeZone;
    const verdicts = decideRetention(
      snapshots.map((one) => toRetained(one, use)),
      policy,
      { timeZone, nowMs: nowMs() },
    );
    const dropped = new Set(verdicts.filter(({ keep }) => !keep).map(({ uuid }) => uuid));
    const freedBytes = snapshots.reduce((sum, { uuid, addedBytes }) => sum + (dropped.has(uuid) ? addedBytes : 0), 0);
    return { verdicts, freedBytes };
  }

  return {
    explain,

    apply(schedule) {
      // A schedule without a policy keeps everything.
      if (isEmptyPolicy(schedule.retention)) return { kept: store.countOf(schedule.uuid), dropped: 0 };
      const { verdicts } = explain(schedule, schedule.retention);
      let dropped = 0;
      for (const { uuid, keep } of verdicts) {
        const { purgeAtMs } = store.get(uuid) ?? {};
        if (keep && purgeAtMs !== undefined) store.change(uuid, { purgeAtMs: null });
        if (!keep && purgeAtMs === undefined) store.change(uuid, { purgeAtMs: nowMs() + purgeAfterMs });
        if (!keep) dropped++;
      }
      return { kept: verdicts.length - dropped, dropped };
    },

    async purge(onProblem) {
      const purged: string[] = [];
      for (const { uuid } of store.toPurge(nowMs())) {
        try {
          await backups.delete(uuid);
          purged.push(uuid);
        } catch (error) {
          onProblem(uuid, error);
        }
      }
      return purged;
    },
  };
}

function toRetained({ uuid, createdAtMs, isDamaged, isPinned, drilledAtMs, tags }: StoredBackup, use: ArchiveUse) {
  return {
    uuid,
    createTimeMs: createdAtMs,
    isGood: !isDamaged,
    isPinned,
    isInUse: use.isInUse(uuid),
    ...(drilledAtMs !== undefined && { drillTimeMs: drilledAtMs }),
    tags: Object.entries(tags).map(([name, value]) => `${name}:${value}`),
  };
}
