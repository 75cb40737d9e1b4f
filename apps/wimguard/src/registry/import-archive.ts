import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { manifestDraftPathOf, manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { undoBackup } from "../archive/undo-backup.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { WarningList } from "../catalog/warning-list.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { engines } from "../engine/engines.ts";
import { fail } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import { type JobEnd, observeJobEnd } from "../jobs/job-end.ts";
import type { JobQueue, QueuedJob } from "../jobs/job-queue.ts";
import { checkPath, nameOfSource } from "../path/check-path.ts";
import { createJobEvents } from "../progress/job-events.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import { type JobProgress, ProgressFeed } from "../progress/progress-feed.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { recognizeArchive } from "./recognize-archive.ts";

export interface StartedImport {
  readonly uuid: string;
  readonly startedAtMs: number;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<StoredBackup>;
}

export interface ImportParts {
  readonly stores: ArchiveStores;
  readonly runner: EngineRunner;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly onJobEnd: (end: JobEnd) => void;
}

/**
 * Starts to add an archive to the catalogue. All of it is read, and its manifest made again. One that WimGuard has written gets the uuid, the
 * source, the description and the time of its backup back.
 *
 * @throws FailureError
 */
export async function startImport(parts: ImportParts, location: string): Promise<StartedImport> {
  const { stores, queue, probes } = parts;
  const { backups } = stores;
  const { path, engine, modifiedAtMs } = await recognizeArchive(checkPath("location", location));
  await probes.require(engine);
  const known = backups.lastWriterOf(path);
  if (known !== undefined) {
    const message = `${path} belongs to backup ${known} already`;
    fail({ reason: "ARCHIVE_KNOWN", path, uuid: known, message });
  }
  queue.check(path);
  const origin = await engines[engine].readOrigin(path, new AbortController().signal);
  const isFree = origin !== undefined && backups.get(origin.uuid) === undefined;
  const uuid = isFree ? origin.uuid : randomUUID();
  const backup = {
    uuid,
    name: origin === undefined ? basename(path) : nameOfSource(origin.source),
    source: origin?.source ?? "",
    destination: path,
    engine,
    compression: "",
    rules: "",
    description: origin?.description ?? "",
    createdAtMs: origin === undefined ? Math.round(modifiedAtMs) : Date.parse(origin.createTime),
  };
  backups.insert(backup);
  const feed = new ProgressFeed();
  feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
  const job = queue.add({
    uuid,
    path,
    run: (signal) => runImport(backup, parts, (progress) => feed.update(progress), signal).finally(() => feed.end()),
    onNeverRun() {
      feed.end();
      backups.remove(uuid);
    },
  });
  observeJobEnd("import", job, parts.onJobEnd);
  return { uuid, startedAtMs: stores.nowMs(), feed, job };
}

type ImportedBackup = Pick<StoredBackup, "uuid" | "destination" | "engine" | "source" | "createdAtMs">;

async function runImport(
  { uuid, destination, engine, source, createdAtMs }: ImportedBackup,
  { stores, runner }: ImportParts,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<StoredBackup> {
  const { files, backups, manifestFolder } = stores;
  const draftPath = manifestDraftPathOf(manifestFolder, uuid);
  const counter = new ProgressCounter();
  const warnings = new WarningList();
  try {
    const {
      sourceBytes,
      files: fileCount,
      ...archive
    } = await runner.index(
      {
        engine,
        archivePath: destination,
        manifestDraftPath: draftPath,
        header: { uuid, engine, source, createTime: new Date(createdAtMs).toISOString() },
      },
      createJobEvents(counter, warnings, onProgress),
      signal,
    );
    await files.rename(draftPath, manifestPathOf(manifestFolder, uuid));
    await files.syncFolder(manifestFolder);
    const endedAtMs = stores.nowMs();
    backups.change(uuid, { state: "completed", size: sourceBytes, files: fileCount, archive, endedAtMs });
  } catch (error) {
    const backup = backups.get(uuid);
    // The archive is somebody's: only what the import has made is removed, its record too.
    if (backup !== undefined) await undoBackup(stores, backup, "failed", toFailure(error));
    backups.remove(uuid);
    throw error;
  }
  return backups.get(uuid) ?? fail({ reason: "BACKUP_NOT_FOUND", uuid, message: `there is no backup ${uuid}` });
}
