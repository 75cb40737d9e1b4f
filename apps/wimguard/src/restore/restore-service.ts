import type { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { findArchive } from "../archive/delete-archive.ts";
import type { BackupService } from "../backup/backup-service.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { StoredRestore } from "../catalog/restore-store.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { fail } from "../failure/failure.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import type { JobQueue, QueuedJob } from "../jobs/job-queue.ts";
import { readManifest } from "../manifest/manifest-file.ts";
import { checkPath } from "../path/check-path.ts";
import { ProgressFeed } from "../progress/progress-feed.ts";
import { checkPaths, requireSpace, resolveTarget } from "./check-restore.ts";
import { selectPaths } from "./restore-selection.ts";
import { type RestoreParts, runRestore } from "./run-restore.ts";

/** What a client asks for. */
export interface RestoreRequest {
  /** Of a backup. */
  readonly uuid: string;
  readonly paths: readonly Uint8Array[];
  readonly target: string;
  readonly verify: boolean;
  readonly skipOwner: boolean;
}

export interface StartedRestore {
  readonly uuid: string;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<StoredRestore>;
}

/** What a restore would do. */
export interface RestorePlan {
  readonly entries: number;
  readonly bytes: number;
  readonly freeBytes: number;
}

/** Restores as clients see them. Everything rejects with a FailureError. */
export interface RestoreService {
  plan(request: RestoreRequest): Promise<RestorePlan>;
  start(request: RestoreRequest): Promise<StartedRestore>;
  get(uuid: string): StoredRestore;
}

export interface RestoreServiceParts extends RestoreParts {
  readonly stores: ArchiveStores;
  readonly backups: BackupService;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly use: ArchiveUse;
  /** Folders that targets must be in; undefined for anywhere. Normal, without links. */
  readonly targetRoots: readonly string[] | undefined;
}

interface CheckedRestore extends RestorePlan {
  readonly backup: StoredBackup;
  readonly target: string;
  readonly paths: readonly Buffer[];
}

export function createRestoreService(parts: RestoreServiceParts): RestoreService {
  const { stores, backups, restores, queue, probes, use } = parts;

  async function check(request: RestoreRequest): Promise<CheckedRestore> {
    const field = "snapshot_uuid";
    if (request.uuid === "")
      fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required: pass a backup's uuid` });
    const target = checkPath("target", request.target);
    const paths = checkPaths(request.paths);
    const backup = backups.get(request.uuid);
    await requireArchive(stores, backup);
    await probes.require(backup.engine);
    const resolved = await resolveTarget(target, parts.targetRoots);
    const { entries, bytes } = await measure(manifestPathOf(parts.manifestFolder, backup.uuid), paths);
    const freeBytes = await requireSpace(resolved, bytes);
    return { backup, target: resolved, paths, entries, bytes, freeBytes };
  }

  return {
    async plan(request) {
      const { entries, bytes, freeBytes } = await check(request);
      return { entries, bytes, freeBytes };
    },

    async start(request) {
      const { backup, target, paths, bytes } = await check(request);
      queue.check(target);
      const uuid = randomUUID();
      restores.insert({ uuid, backupUuid: backup.uuid, target, createdAtMs: parts.nowMs() });
      const feed = new ProgressFeed();
      feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
      const { verify, skipOwner } = request;
      const endUse = use.begin(backup.uuid);
      const job = queue.add({
        uuid,
        path: target,
        run: (signal) =>
          runRestore(
            { uuid, backup, target, paths, bytes, verify, keepOwner: !skipOwner },
            parts,
            (progress) => feed.update(progress),
            signal,
          ).finally(() => {
            endUse();
            feed.end();
          }),
        onNeverRun(failure) {
          endUse();
          feed.end();
          restores.change(uuid, { state: "cancelled", failure, endedAtMs: parts.nowMs() });
        },
      });
      job.done.catch(() => {});
      return { uuid, feed, job };
    },

    get(uuid) {
      if (uuid === "") fail({ reason: "FIELD_REQUIRED", field: "uuid", message: "uuid is required" });
      const shown = JSON.stringify(uuid.slice(0, 64));
      return (
        restores.get(uuid) ??
        fail({ reason: "RESTORE_NOT_FOUND", uuid: uuid.slice(0, 64), message: `there is no restore ${shown}` })
      );
    },
  };
}

/** @throws FailureError unless the archive of a completed backup is where it was written */
async function requireArchive(stores: ArchiveStores, backup: StoredBackup): Promise<void> {
  const { uuid, destination, state } = backup;
  if (state !== "completed") {
    fail({
      reason: "BACKUP_NOT_COMPLETED",
      uuid,
      message: `backup ${uuid} is ${state.replace("_", " ")}: there is nothing to restore`,
    });
  }
  const presence = await findArchive(stores, backup);
  if (presence === "archive") return;
  if (presence === "other") {
    const message = `${destination} is not the archive that this backup wrote: it was changed or replaced`;
    fail({ reason: "ARCHIVE_DAMAGED", uuid, path: destination, message });
  }
  const message = `the archive ${destination} does not exist: bring it back, or mount the disk that it is on`;
  fail({ reason: "ARCHIVE_GONE", uuid, path: destination, message });
}

/** What is selected, by the manifest. */
async function measure(manifestPath: string, paths: readonly Buffer[]): Promise<{ entries: number; bytes: number }> {
  const selection = paths.length === 0 ? undefined : await selectPaths(paths, readManifest(manifestPath));
  let entries = 0;
  let bytes = 0;
  for await (const { path, kind, size, round } of readManifest(manifestPath)) {
    if (round !== undefined || (selection !== undefined && selection.nameOf(path, kind === "folder") === undefined))
      continue;
    entries++;
    bytes += size;
  }
  return { entries, bytes };
}
