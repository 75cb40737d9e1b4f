import { realpath, stat } from "node:fs/promises";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { publishArchive } from "../archive/publish-archive.ts";
import { undoBackup } from "../archive/undo-backup.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { describeWarnings, WarningList } from "../catalog/warning-list.ts";
import { fail, throwIfCancelled } from "../failure/failure.ts";
import { hasErrorCode, toFailure } from "../failure/to-failure.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import { isInside } from "../path/check-path.ts";
import { createJobEvents } from "../progress/job-events.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import type { JobProgress } from "../progress/progress-feed.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { describeNoSpace } from "./describe-no-space.ts";
import { findPrevious } from "./find-previous.ts";
import { type BackupJob, pathsOf, writeBackup } from "./write-backup.ts";

export interface BackupParts {
  readonly stores: ArchiveStores;
  readonly runner: EngineRunner;
  readonly log: Log;
  readonly use: ArchiveUse;
  /** Records the environment that the backup is made in, and returns the record's uuid. */
  readonly rememberEnv: () => Promise<string>;
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
  { stores, runner, log, use, rememberEnv, sourceRoots }: BackupParts,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<StoredBackup> {
  const { uuid } = job;
  const warnings = new WarningList();
  const counter = new ProgressCounter();
  const paths = pathsOf(job, stores.manifestFolder);
  const { folder, partPath } = paths;
  let endUse = (): void => {};
  try {
    const source = await resolveSource(job, sourceRoots);
    const device = folder === undefined ? "" : String((await stat(folder, { bigint: true })).dev);
    stores.backups.change(uuid, { part: { path: partPath, device } });
    const environment = rememberEnv().catch((error) => {
      log.warn("the environment of a backup could not be recorded", { uuid, error: thrownText(error) });
      return "";
    });
    const events = createJobEvents(counter, warnings, onProgress);
    const previous = await findPrevious(stores, requireBackup(stores, uuid));
    if (previous !== undefined) endUse = use.begin(previous.uuid);
    const written = await writeBackup({ job, source, paths, previous }, { stores, runner }, events, signal);
    const envUuid = await environment;
    throwIfCancelled(signal);
    if (job.unreadable === "fail") refuseUnreadable(warnings);
    // From here on it takes milliseconds, and a cancel comes too late.
    const sourceBytes = counter.finish(written.sourceBytes);
    await publishArchive(
      stores,
      job,
      partPath,
      { ...written, sourceBytes },
      { warnings: warnings.value, envUuid },
      job.base,
    );
    return requireBackup(stores, uuid);
  } catch (error) {
    const failure = await describeNoSpace(toFailure(error), folder, counter.count);
    const state = failure.reason === "CANCELLED" ? "cancelled" : "failed";
    await undoBackup(stores, requireBackup(stores, uuid), state, failure).catch((problem) => {
      // The record still names what is left, so the next start removes it.
      log.error("what a backup has written could not be removed", { uuid, partPath, error: thrownText(problem) });
    });
    fail({ ...failure, uuid }, error);
  } finally {
    endUse();
  }
}

/** @throws FailureError UNREADABLE that names what could not be read */
function refuseUnreadable({ value: { first } }: WarningList): void {
  const unreadable = first.filter(({ reason }) => reason === "UNREADABLE");
  const [one] = unreadable;
  if (one === undefined) return;
  const described = describeWarnings({ first: unreadable, count: unreadable.length });
  fail({ reason: "UNREADABLE", path: one.displayPath, message: `${described}; nothing was kept` });
}

function requireBackup({ backups }: ArchiveStores, uuid: string): StoredBackup {
  return backups.get(uuid) ?? fail({ reason: "BACKUP_NOT_FOUND", uuid, message: `backup ${uuid} not found` });
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
