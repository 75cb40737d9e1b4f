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
  /** Records the current environment and returns the record's uuid. */
  readonly rememberEnv: () => Promise<string>;
  /** Folders that sources must be in, normalized and without links; undefined for any. */
  readonly sourceRoots: readonly string[] | undefined;
}

/**
 * Runs a backup to its end: then its record is completed, failed or cancelled, and only the archive of a completed backup is left.
 *
 * @throws FailureError when it is not completed
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
      log.warn("cannot record the environment of a backup", { uuid, error: thrownText(error) });
      return "";
    });
    const events = createJobEvents(counter, warnings, onProgress);
    const previous = await findPrevious(stores, requireBackup(stores, uuid));
    if (previous !== undefined) endUse = use.begin(previous.uuid);
    const written = await writeBackup({ job, source, paths, previous }, { stores, runner }, events, signal);
    const envUuid = await environment;
    throwIfCancelled(signal);
    if (job.unreadable === "fail") refuseUnreadable(warnings);
    // From here on a cancel has no effect; the rest takes milliseconds.
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
      // The record still names the files, so the next start removes them.
      log.error("cannot remove the files of a backup", { uuid, partPath, error: thrownText(problem) });
    });
    fail({ ...failure, uuid }, error);
  } finally {
    endUse();
  }
}

/** Throws FailureError UNREADABLE if a path could not be read. */
function refuseUnreadable({ value: { first } }: WarningList): void {
  const unreadable = first.filter(({ reason }) => reason === "UNREADABLE");
  const [one] = unreadable;
  if (one === undefined) return;
  const described = describeWarnings({ first: unreadable, count: unreadable.length });
  fail({ reason: "UNREADABLE", path: one.displayPath, message: `${described}; the backup was discarded` });
}

function requireBackup({ backups }: ArchiveStores, uuid: string): StoredBackup {
  return backups.get(uuid) ?? fail({ reason: "BACKUP_NOT_FOUND", uuid, message: `backup ${uuid} not found` });
}

/** Resolves the links of a source and checks that it is inside the allowed roots. */
async function resolveSource({ source }: BackupJob, roots: readonly string[] | undefined): Promise<string> {
  const resolved = await realpath(source).catch((error) => {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    return fail({ reason: "SOURCE_NOT_FOUND", path: source, message: `the source ${source} does not exist` }, error);
  });
  if (roots !== undefined && !isInside(resolved, roots)) {
    const message = `${source} is outside of the folders that may be backed up (service.server.roots.sources): ${roots.join(", ")}`;
    fail({ reason: "PATH_OUTSIDE_ROOTS", path: source, message });
  }
  return resolved;
}
