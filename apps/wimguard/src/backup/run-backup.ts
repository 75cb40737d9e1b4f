import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import { manifestDraftPathOf, manifestPathOf, partPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { publishArchive } from "../archive/publish-archive.ts";
import { undoBackup } from "../archive/undo-backup.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { WarningList } from "../catalog/warning-list.ts";
import type { EngineChoice } from "../engine/choose-engine.ts";
import type { EngineEvents } from "../engine/engine.ts";
import { fail, throwIfCancelled } from "../failure/failure.ts";
import { hasErrorCode, toFailure } from "../failure/to-failure.ts";
import { isInside } from "../path/check-path.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import type { JobProgress } from "../progress/progress-feed.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { describeNoSpace } from "./describe-no-space.ts";

/** A backup whose record exists, and how to do it. */
export interface BackupJob {
  readonly uuid: string;
  readonly source: string;
  readonly destination: string;
  readonly choice: EngineChoice;
  readonly name: string;
  readonly description: string;
  readonly createdAtMs: number;
}

export interface BackupParts {
  readonly stores: ArchiveStores;
  readonly runner: EngineRunner;
  readonly log: Log;
  /** Folders that sources must be in; undefined for anywhere. Normal, without links. */
  readonly sourceRoots: readonly string[] | undefined;
}

/**
 * Runs a backup to its end: afterwards its record is completed, failed or cancelled, and nothing but the archive of a completed one is
 * left.
 *
 * @throws FailureError why it was not completed
 */
export async function runBackup(
  job: BackupJob,
  { stores, runner, log, sourceRoots }: BackupParts,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<StoredBackup> {
  const { uuid, destination } = job;
  const warnings = new WarningList();
  const counter = new ProgressCounter();
  const partPath = partPathOf(destination, uuid);
  try {
    const source = await resolveSource(job, sourceRoots);
    const device = String((await stat(dirname(destination), { bigint: true })).dev);
    stores.backups.change(uuid, { part: { path: partPath, device } });
    const events = createEvents(counter, warnings, onProgress);
    const written = await runner.write(
      {
        engine: job.choice.engine,
        task: {
          source,
          partPath,
          compression: job.choice.compression,
          name: job.name,
          description: job.description,
          leaveOut: [
            partPath,
            manifestDraftPathOf(stores.manifestFolder, uuid),
            manifestPathOf(stores.manifestFolder, uuid),
          ],
        },
        manifestDraftPath: manifestDraftPathOf(stores.manifestFolder, uuid),
        header: {
          uuid,
          engine: job.choice.engine,
          source: job.source,
          createTime: new Date(job.createdAtMs).toISOString(),
        },
      },
      events,
      signal,
    );
    throwIfCancelled(signal);
    // From here on it takes milliseconds, and a cancel comes too late.
    const sourceBytes = counter.finish(written.sourceBytes);
    await publishArchive(stores, job, partPath, { ...written, sourceBytes }, warnings.value);
    return requireBackup(stores, uuid);
  } catch (error) {
    const failure = await describeNoSpace(toFailure(error), dirname(destination), counter.count);
    const state = failure.reason === "CANCELLED" ? "cancelled" : "failed";
    await undoBackup(stores, requireBackup(stores, uuid), state, failure).catch((problem) => {
      // The record still names what is left, so the next start removes it.
      log.error("what a backup has written could not be removed", { uuid, partPath, error: thrownText(problem) });
    });
    fail({ ...failure, uuid }, error);
  }
}

function requireBackup({ backups }: ArchiveStores, uuid: string): StoredBackup {
  return backups.get(uuid) ?? fail({ reason: "BACKUP_NOT_FOUND", uuid, message: `there is no backup ${uuid}` });
}

/** The source without links: it is what the roots allow that counts, and archives are made of it. */
async function resolveSource({ source }: BackupJob, roots: readonly string[] | undefined): Promise<string> {
  const resolved = await realpath(source).catch((error) => {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    return fail({ reason: "SOURCE_NOT_FOUND", path: source, message: `the source ${source} does not exist` }, error);
  });
  if (roots !== undefined && !isInside(resolved, roots)) {
    const message = `${source} is outside of the folders that may be backed up: ${roots.join(", ")}`;
    fail({ reason: "PATH_OUTSIDE_ROOTS", path: source, message });
  }
  return resolved;
}

function createEvents(
  counter: ProgressCounter,
  warnings: WarningList,
  onProgress: (progress: JobProgress) => void,
): EngineEvents {
  let phase: JobProgress["phase"] = "scanning";
  const report = (): void => onProgress({ ...counter.count, phase });
  return {
    onPhase(next) {
      phase = next;
      report();
    },
    onTotal(bytes) {
      counter.setTotal(bytes);
      report();
    },
    onBytes(bytes) {
      counter.add(bytes);
      report();
    },
    onReached(bytes) {
      counter.reach(bytes);
      report();
    },
    onWarning: (warning) => void warnings.add(warning),
  };
}
