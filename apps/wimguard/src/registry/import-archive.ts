import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import type { ArchiveOrigin } from "../archive/archive-origin.ts";
import { manifestDraftPathOf, manifestPathOf } from "../archive/archive-paths.ts";
import { undoBackup } from "../archive/undo-backup.ts";
import type { BackupChange, NewBackup, StoredBackup } from "../catalog/backup-store.ts";
import { WarningList } from "../catalog/warning-list.ts";
import { engines } from "../engine/engines.ts";
import { isRepository } from "../engine/restic/repository/repository-location.ts";
import { fail } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { QueuedJob } from "../jobs/job-queue.ts";
import { checkPath, nameOfSource } from "../path/check-path.ts";
import { createJobEvents } from "../progress/job-events.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import { type JobProgress, ProgressFeed } from "../progress/progress-feed.ts";
import type { StartingRequest } from "../runs/run-store.ts";
import { findInRepository } from "./find-in-repository.ts";
import type { FoundBackup, ImportParts } from "./found-backup.ts";
import { type RecognizedArchive, recognizeArchive } from "./recognize-archive.ts";

export interface StartedImport {
  readonly uuid: string;
  readonly startedAtMs: number;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<StoredBackup>;
}

/**
 * Starts to add an archive, or what a repository has, to the catalogue. Its manifest is made again: all of an archive is read, and of a repository
 * what it lists. A backup that WimGuard has written gets its uuid, source, description and time back.
 *
 * @throws FailureError
 */
export async function startImport(
  parts: ImportParts,
  location: string,
  startedBy?: StartingRequest,
): Promise<StartedImport> {
  if (isRepository(location)) return startJob(parts, await findInRepository(parts, location), startedBy);
  const { stores, queue, probes } = parts;
  const { backups } = stores;
  const { path, engine, modifiedAtMs } = await recognizeArchive(checkPath("location", location));
  await probes.require(engine);
  const known = backups.archiveAt(path);
  if (known !== undefined) {
    const message = `${path} belongs to backup ${known} already`;
    fail({ reason: "ARCHIVE_KNOWN", path, uuid: known, message });
  }
  queue.check(path);
  const origins = await engines[engine].readOrigins(path, new AbortController().signal);
  const found = toBackups(origins, { path, engine, modifiedAtMs }, (one) => backups.get(one) === undefined);
  return startJob(
    parts,
    found.map((backup, at) => ({ backup, archive: { archivePath: path, image: at + 1 } })),
    startedBy,
  );
}

function startJob(
  parts: ImportParts,
  found: readonly FoundBackup[],
  startedBy: StartingRequest | undefined,
): StartedImport {
  const { stores, queue } = parts;
  const { backups } = stores;
  const [first] = found;
  if (first === undefined) {
    fail({ reason: "ARCHIVE_UNKNOWN", field: "location", message: "the archive is empty: it has nothing to import" });
  }
  const { uuid, destination: path } = first.backup;
  for (const { backup } of found) backups.insert(backup);
  const feed = new ProgressFeed();
  feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
  const job = queue.add({
    uuid,
    path,
    run: (signal) => runImport(found, parts, (progress) => feed.update(progress), signal).finally(() => feed.end()),
    onNeverRun() {
      feed.end();
      for (const { backup } of found) backups.remove(backup.uuid);
    },
  });
  const by = startedBy === undefined ? {} : { request: startedBy };
  parts.track({ kind: "import", subjectUuid: uuid, job, feed, ...by });
  return { uuid, startedAtMs: stores.nowMs(), feed, job };
}

/** One for each image of the file. */
function toBackups(
  origins: readonly (ArchiveOrigin | undefined)[],
  { path, engine, modifiedAtMs }: RecognizedArchive,
  isFree: (uuid: string) => boolean,
): NewBackup[] {
  const uuids = origins.map((origin) => (origin !== undefined && isFree(origin.uuid) ? origin.uuid : randomUUID()));
  // A file that was put together by hand may have an image twice.
  const own = uuids.map((uuid, at) => (uuids.indexOf(uuid) === at ? uuid : randomUUID()));
  return origins.map((origin, at) => ({
    uuid: own[at] as string,
    archiveId: own[0] as string,
    name: origin === undefined ? basename(path) : nameOfSource(origin.source),
    source: origin?.source ?? "",
    destination: path,
    engine,
    compression: "",
    rules: "",
    scheduleUuid: "",
    description: origin?.description ?? "",
    createdAtMs: origin === undefined ? Math.round(modifiedAtMs) : Date.parse(origin.createTime),
  }));
}

/** Returns the first of them. */
async function runImport(
  found: readonly FoundBackup[],
  { stores, runner }: ImportParts,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<StoredBackup> {
  const { files, backups, manifestFolder, nowMs } = stores;
  const counter = new ProgressCounter();
  const warnings = new WarningList();
  const events = createJobEvents(counter, warnings, onProgress);
  try {
    const listed: [string, BackupChange][] = [];
    for (const [at, { backup, archive: place }] of found.entries()) {
      const { uuid, engine, source, createdAtMs } = backup;
      const manifestDraftPath = manifestDraftPathOf(manifestFolder, uuid);
      const header = { uuid, engine, source, createTime: new Date(createdAtMs).toISOString() };
      const job = { engine, ...place, manifestDraftPath, header };
      const listedNow = await runner.index(job, events, signal);
      const { sourceBytes: size, files: fileCount, image, root = "", ...archive } = listedNow;
      await files.rename(manifestDraftPath, manifestPathOf(manifestFolder, uuid));
      // What each image has added is not known.
      const addedBytes = at === 0 ? archive.storedBytes : 0;
      listed.push([uuid, { size, files: fileCount, image, root, archive, addedBytes }]);
    }
    await files.syncFolder(manifestFolder);
    for (const [uuid, change] of listed) backups.change(uuid, { ...change, state: "completed", endedAtMs: nowMs() });
  } catch (error) {
    // The archive is somebody's: only what the import has made is removed, its records too.
    for (const {
      backup: { uuid },
    } of found) {
      const backup = backups.get(uuid);
      if (backup !== undefined) await undoBackup(stores, backup, "failed", toFailure(error));
      backups.remove(uuid);
    }
    throw error;
  }
  const uuid = found[0]?.backup.uuid ?? "";
  return backups.get(uuid) ?? fail({ reason: "BACKUP_NOT_FOUND", uuid, message: `backup ${uuid} not found` });
}
