import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { requireArchive } from "../archive/require-archive.ts";
import { toImage } from "../archive/to-image.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { WarningList, type Warnings } from "../catalog/warning-list.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { FailureError, fail, throwIfCancelled } from "../failure/failure.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import type { JobQueue, QueuedJob } from "../jobs/job-queue.ts";
import { readLastEntries } from "../manifest/last-entries.ts";
import { createJobEvents } from "../progress/job-events.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import { type JobProgress, ProgressFeed } from "../progress/progress-feed.ts";
import { requireSpace } from "../restore/check-restore.ts";
import type { TrackedJob } from "../runs/run-registry.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { chooseSample, type SampleLimits } from "./choose-sample.ts";
import type { SnapshotService } from "./snapshot-service.ts";

/** What a check has proved. */
export interface CheckResult {
  readonly files: number;
  readonly bytes: number;
  readonly warnings: Warnings;
}

export interface StartedCheck {
  readonly uuid: string;
  /** Those that are checked. */
  readonly snapshots: readonly StoredBackup[];
  readonly startedAtMs: number;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<CheckResult>;
}

/** Checks that snapshots can be restored. Everything rejects with a FailureError. */
export interface CheckService {
  /** Reads so much of a snapshot's data and compares digests; 0 checks the structure only. */
  verify(uuid: string, percent: number, scheduleUuid?: string): Promise<StartedCheck>;
  /** Restores a sample to a folder of its own, compares all of it with the manifest, and removes it. Empty: the newest and one older. */
  drill(uuid: string, limits: SampleLimits, scheduleUuid?: string): Promise<StartedCheck>;
}

export interface CheckServiceParts {
  readonly stores: ArchiveStores;
  readonly snapshots: SnapshotService;
  readonly runner: EngineRunner;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly use: ArchiveUse;
  /** For samples, which are removed after a drill; whatever is there when the daemon starts is removed too. */
  readonly drillFolder: string;
  readonly track: (job: TrackedJob) => void;
  readonly random?: () => number;
}

type Work = (
  snapshot: StoredBackup,
  onProgress: (progress: JobProgress) => void,
  warnings: WarningList,
  signal: AbortSignal,
) => Promise<{ readonly files: number; readonly bytes: number }>;

/** Also the most that there may be: the wim engine names each of them to its program. */
const maxSampleFiles = 1_000;
const defaultSampleBytes = 2 ** 30;

export function createCheckService(parts: CheckServiceParts): CheckService {
  const { stores, snapshots, runner, queue, probes, use, drillFolder, random = Math.random } = parts;
  const { files, backups, manifestFolder } = stores;

  async function start(
    kind: "verify" | "drill",
    chosen: readonly StoredBackup[],
    work: Work,
    scheduleUuid = "",
  ): Promise<StartedCheck> {
    for (const snapshot of chosen) {
      await requireArchive(stores, snapshot);
      await probes.require(snapshot.engine);
    }
    const uuid = randomUUID();
    const path = `${kind} ${uuid}`;
    queue.check(path);
    const feed = new ProgressFeed();
    feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
    const uses = chosen.map((snapshot) => use.begin(snapshot.uuid));
    const end = (): void => {
      for (const endUse of uses) endUse();
      feed.end();
    };
    const job = queue.add({
      uuid,
      path,
      run: (signal) => checkAll(chosen, work, (progress) => feed.update(progress), signal).finally(end),
      onNeverRun: end,
    });
    parts.track({ kind, subjectUuid: chosen[0]?.uuid ?? "", job, feed, scheduleUuid });
    return { uuid, snapshots: chosen, startedAtMs: stores.nowMs(), feed, job };
  }

  async function checkAll(
    chosen: readonly StoredBackup[],
    work: Work,
    onProgress: (progress: JobProgress) => void,
    signal: AbortSignal,
  ): Promise<CheckResult> {
    const warnings = new WarningList();
    let [fileCount, bytes] = [0, 0];
    for (const snapshot of chosen) {
      throwIfCancelled(signal);
      try {
        const proved = await work(snapshot, onProgress, warnings, signal);
        fileCount += proved.files;
        bytes += proved.bytes;
      } catch (error) {
        const isDamaged = error instanceof FailureError && error.failure.reason === "ARCHIVE_DAMAGED";
        if (isDamaged) backups.change(snapshot.uuid, { isDamaged });
        if (error instanceof FailureError) fail({ ...error.failure, uuid: snapshot.uuid }, error);
        throw error;
      }
    }
    return { files: fileCount, bytes, warnings: warnings.value };
  }

  async function drillOne(
    limits: SampleLimits,
    ...[snapshot, onProgress, warnings, signal]: Parameters<Work>
  ): ReturnType<Work> {
    const manifestPath = manifestPathOf(manifestFolder, snapshot.uuid);
    const sample = await chooseSample(readLastEntries(manifestPath), limits, random);
    const folder = join(drillFolder, snapshot.uuid);
    await requireSpace(folder, sample.bytes);
    const counter = new ProgressCounter();
    counter.setTotal(sample.bytes);
    try {
      const restored = await runner.restore(
        {
          engine: snapshot.engine,
          task: { ...toImage(stores, snapshot), folder, paths: sample.paths, keepOwner: true },
          manifestPath,
          verify: true,
          merge: undefined,
        },
        createJobEvents(counter, warnings, onProgress),
        signal,
      );
      backups.change(snapshot.uuid, { drilledAtMs: stores.nowMs() });
      return { files: restored.verifiedFiles, bytes: counter.finish(sample.bytes) };
    } finally {
      await files.removeTree(folder);
    }
  }

  return {
    async verify(uuid, percent, scheduleUuid) {
      const snapshot = snapshots.get(uuid);
      if (!(percent >= 0 && percent <= 100)) {
        fail({ reason: "FIELD_INVALID", field: "percent", message: `invalid percent ${percent}: use 0 to 100` });
      }
      return start(
        "verify",
        [snapshot],
        async (one, onProgress, warnings, signal) => {
          const counter = new ProgressCounter();
          const proved = await runner.verify(
            {
              engine: one.engine,
              ...toImage(stores, one),
              manifestPath: manifestPathOf(manifestFolder, uuid),
              sha256: one.archive.sha256,
              percent,
            },
            createJobEvents(counter, warnings, onProgress),
            signal,
          );
          if (percent > 0) backups.change(uuid, { verifiedAtMs: stores.nowMs() });
          // Only a look at everything can take back what one has found.
          if (percent === 100) backups.change(uuid, { isDamaged: false });
          return proved;
        },
        scheduleUuid,
      );
    },

    async drill(uuid, limits, scheduleUuid) {
      const chosen = uuid === "" ? newestAndOlder(snapshots, random) : [snapshots.get(uuid)];
      const checked = sampleLimits(limits);
      return start("drill", chosen, (...work) => drillOne(checked, ...work), scheduleUuid);
    },
  };
}

/** @throws FailureError FIELD_INVALID */
function sampleLimits({ maxFiles, maxBytes }: SampleLimits): SampleLimits {
  if (maxFiles < 0 || maxBytes < 0) {
    const field = maxFiles < 0 ? "max_files" : "max_bytes";
    fail({ reason: "FIELD_INVALID", field, message: `invalid ${field}: use 0 or more` });
  }
  return {
    maxFiles: Math.min(maxFiles === 0 ? maxSampleFiles : maxFiles, maxSampleFiles),
    maxBytes: maxBytes === 0 ? defaultSampleBytes : maxBytes,
  };
}

/** @throws FailureError SNAPSHOT_NOT_FOUND without any */
function newestAndOlder(snapshots: SnapshotService, random: () => number): StoredBackup[] {
  const { items } = snapshots.list({ pageSize: 1000, pageToken: "", filter: "", orderBy: "create_time desc" });
  const [newest, ...older] = items;
  if (newest === undefined) {
    fail({ reason: "SNAPSHOT_NOT_FOUND", message: "no snapshots to drill: back something up first" });
  }
  const one = older[Math.floor(random() * older.length)];
  return one === undefined ? [newest] : [newest, one];
}
