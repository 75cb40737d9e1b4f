import { dirname } from "node:path";
import { manifestDraftPathOf, manifestPathOf, partPathOf, scratchPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { toImage } from "../archive/to-image.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { EngineChoice } from "../engine/choose-engine.ts";
import type { EngineEvents, SourceTask } from "../engine/engine.ts";
import { isRepository, localFolderOf } from "../engine/restic/repository/repository-location.ts";
import type { SourceRules } from "../source/source-rules.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import type { PerformedWrite } from "../thread/perform-write.ts";
import { toPrevious } from "./find-previous.ts";

/** A backup whose record exists, with its settings. */
export interface BackupJob {
  readonly uuid: string;
  readonly source: string;
  readonly destination: string;
  readonly choice: EngineChoice;
  readonly rules: SourceRules;
  readonly unreadable: "skip" | "fail";
  /** Whether further backups may be added to the file. */
  readonly isAppend: boolean;
  /** The last backup in the existing file that this one is added to. */
  readonly base: StoredBackup | undefined;
  readonly name: string;
  readonly description: string;
  readonly createdAtMs: number;
}

/** The paths of a backup. */
export interface BackupPaths {
  /** The folder of the archive or the repository; undefined for a repository on another machine. */
  readonly folder: string | undefined;
  /** The path that becomes the archive, or a new repository. */
  readonly partPath: string;
  readonly draftPath: string;
  readonly scratchPath: string;
  readonly manifestPath: string;
}

export function pathsOf(
  { uuid, destination }: Pick<BackupJob, "uuid" | "destination">,
  manifestFolder: string,
): BackupPaths {
  const place = isRepository(destination) ? localFolderOf(destination) : destination;
  return {
    folder: place === undefined ? undefined : dirname(place),
    // No file is written for a remote repository: the name only records that it may contain data of this backup.
    partPath: place === undefined ? destination : partPathOf(place, uuid),
    draftPath: manifestDraftPathOf(manifestFolder, uuid),
    scratchPath: scratchPathOf(manifestFolder, uuid),
    manifestPath: manifestPathOf(manifestFolder, uuid),
  };
}

/** A backup with its resolved source. */
export interface BackupWork {
  readonly job: BackupJob;
  /** Without links. */
  readonly source: string;
  readonly paths: BackupPaths;
  readonly previous: StoredBackup | undefined;
}

/** Runs the engine, which writes a part or stores a snapshot, and the draft of its manifest. */
export async function writeBackup(
  { job, source, paths, previous }: BackupWork,
  { stores, runner }: { readonly stores: ArchiveStores; readonly runner: EngineRunner },
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedWrite> {
  const { uuid, destination, choice, rules, description } = job;
  const { engine, compression } = choice;
  const { partPath, draftPath, scratchPath, manifestPath } = paths;
  const createTime = new Date(job.createdAtMs).toISOString();
  const task: SourceTask = {
    source,
    compression,
    origin: { uuid, source: job.source, createTime, description },
    leaveOut: [partPath, draftPath, scratchPath, manifestPath],
    rules: { excludes: rules.excludes, oneFileSystem: rules.oneFileSystem },
    scratchPath,
  };
  const draft = { manifestDraftPath: draftPath, header: { uuid, engine, source: job.source, createTime } };
  const toCopy = previous && toPrevious(previous, stores.manifestFolder);
  if (engine === "restic") {
    const repository = {
      repository: destination,
      secretRef: stores.repositories.secretRefOf(destination),
      partPath,
      isKnown: stores.backups.snapshotsIn(destination).length > 0,
      previousManifestPath: toCopy?.manifestPath,
    };
    return runner.store({ engine, task: { ...task, ...repository }, ...draft }, events, signal);
  }
  const file = {
    partPath,
    // Names of images in one file must be unique.
    name: job.isAppend ? `${job.name} ${createTime}` : job.name,
    base: job.base && toImage(stores, job.base),
    previous: toCopy,
  };
  return runner.write({ engine, task: { ...task, ...file }, ...draft }, events, signal);
}
