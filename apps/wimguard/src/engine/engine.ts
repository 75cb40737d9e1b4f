import type { Buffer } from "node:buffer";
import type { ArchiveOrigin } from "../archive/archive-origin.ts";
import { fail } from "../failure/failure.ts";
import type { DurableFile, DurableFiles } from "../files/durable-files.ts";
import type { FoundFile } from "../manifest/find-file.ts";
import type { ManifestEntry, ManifestFrame } from "../manifest/manifest-entry.ts";
import type { SourceRules } from "../source/source-rules.ts";
import type { Compression, EngineName, FileEngineName } from "./compression.ts";

export type WarningReason =
  | "UNREADABLE"
  | "FILE_CHANGED"
  | "FILE_GONE"
  | "SOCKET_SKIPPED"
  | "METADATA_LOST"
  | "CONFLICT"
  | "PREVIOUS_DAMAGED";

/** One path that could not be treated as the rest was. */
export interface EngineWarning {
  readonly reason: WarningReason;
  /** Relative to the source. */
  readonly path: Buffer;
  readonly message: string;
}

/** What an engine says while it works. */
export interface EngineEvents {
  onPhase(phase: "scanning" | "reading" | "verifying" | "publishing"): void;
  /** Bytes of the source; called when the scan has ended. */
  onTotal(bytes: number, files: number): void;
  onBytes(bytes: number): void;
  /** For engines that say how far they are, not how much they have just done. */
  onReached(bytes: number): void;
  onWarning(warning: EngineWarning): void;
}

/** An archive that was written before. */
export interface PreviousArchive {
  readonly archivePath: string;
  readonly manifestPath: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256: string;
}

/** A folder or file to back up. */
export interface SourceTask {
  readonly source: string;
  readonly compression: Compression;
  /** What the archive says of itself. */
  readonly origin: ArchiveOrigin;
  /** The archive's own paths: they are left out if the source contains them. */
  readonly leaveOut: readonly string[];
  /** What else is left out. */
  readonly rules: SourceRules;
  /** A file that the engine may create and removes when it ends. After a crash the catalogue's recovery removes it. */
  readonly scratchPath: string;
}

/** A folder or file to back up into a part file that exists and is empty. */
export interface WriteTask extends SourceTask {
  readonly partPath: string;
  /** Name of an image, for archives that have them. */
  readonly name: string;
  /** An archive of the same source, by the same engine and compression, of which parts may be copied. */
  readonly previous: PreviousArchive | undefined;
  /** The last backup in a file of which the part becomes a copy with one backup more; undefined for a new file. */
  readonly base: ArchiveImage | undefined;
}

/** A repository, and what opens it. */
export interface RepositoryAccess {
  /** `restic:` and where it is. */
  readonly repository: string;
  /** `file:/path` or `env:NAME` of its password; empty for what restic finds in the daemon's environment. */
  readonly secretRef: string;
}

/** A folder or file to back up into a repository. */
export interface StoreTask extends SourceTask, RepositoryAccess {
  /** A folder in which a repository on this machine is made, before it takes its name. */
  readonly partPath: string;
  /** Whether there are backups in the repository: then one that is missing is not made again. */
  readonly isKnown: boolean;
  /** The manifest of an earlier backup of the same source, whose digests may be copied. */
  readonly previousManifestPath: string | undefined;
}

/** What is in a backup, as an engine lists it. */
export interface ManifestOutputs {
  readonly addEntry: (entry: ManifestEntry) => Promise<void>;
  readonly addFrame: (frame: ManifestFrame) => Promise<void>;
}

/** Where an engine writes to. */
export interface WriteOutputs extends ManifestOutputs {
  /** The part, for engines that write it through this process. */
  readonly part: DurableFile;
}

/** Where an engine stores to. */
export interface StoreOutputs extends ManifestOutputs {
  readonly files: DurableFiles;
}

/** A snapshot in a repository. */
export interface RepositorySnapshot {
  readonly id: string;
  /** The folder in it that paths are relative to: absolute, as it was on the machine. */
  readonly root: string;
  /** As in RepositoryAccess. */
  readonly secretRef: string;
}

/** One backup in a file, or in a repository. */
export interface ArchiveImage {
  /** The file, or `restic:` and where the repository is. */
  readonly archivePath: string;
  /** From 1; always 1 where a file has one backup. */
  readonly image: number;
  /** In a repository only. */
  readonly snapshot?: RepositorySnapshot | undefined;
}

/** What was written. */
export interface WrittenArchive {
  /** Bytes of the source that are in the archive. */
  readonly sourceBytes: number;
  readonly files: number;
  /** Its number in the file. */
  readonly image: number;
}

/** What was written to a file. */
export interface WrittenFile extends WrittenArchive {
  /**
   * Does what the engine's `verify` does, in less time: what was copied from a file that had been verified is only compared. Absent where all of
   * it is new.
   */
  readonly verifyNew?: (events: EngineEvents, signal: AbortSignal) => Promise<void>;
}

/** What was stored in a repository. */
export interface StoredSnapshot extends WrittenArchive {
  readonly id: string;
  readonly root: string;
  /** What the repository has grown by. */
  readonly addedBytes: number;
}

/** An archive to restore into an empty folder that exists. */
export interface ReadTask extends ArchiveImage {
  readonly folder: string;
  /** Relative to the source; empty for everything. */
  readonly paths: readonly Buffer[];
  readonly keepOwner: boolean;
}

/** What was restored. */
export interface RestoredTree {
  readonly files: number;
  /** The folder inside the task's that has become the source. Default: the task's. */
  readonly folder?: string;
}

/** A program that writes and reads archives. Everything here rejects with a FailureError. */
export interface Engine {
  readonly name: EngineName;
  /** @throws FailureError ENGINE_MISSING that says what to install */
  probe(): Promise<{ readonly version: string }>;
  /** Lists what is in a backup, for which all of a file is read. */
  index(
    archive: ArchiveImage,
    outputs: ManifestOutputs,
    events: EngineEvents,
    signal: AbortSignal,
  ): Promise<WrittenArchive>;
  /** @param entries starts to read what the manifest says, in the order of the archive; undefined where there is no manifest */
  restore(
    task: ReadTask,
    entries: (() => AsyncIterable<ManifestEntry>) | undefined,
    events: EngineEvents,
    signal: AbortSignal,
  ): Promise<RestoredTree>;
  /** Reads the content of one file in order, in pieces of at most 1 MiB. A rejection of `take` ends it. */
  readFile(
    archive: ArchiveImage,
    file: FoundFile,
    take: (bytes: Buffer) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Reads files, in the order of the archive, and compares their content with their digests.
   *
   * @throws FailureError ARCHIVE_DAMAGED that names the first file that differs
   */
  verifyFiles(
    archive: ArchiveImage,
    files: readonly FoundFile[],
    events: EngineEvents,
    signal: AbortSignal,
  ): Promise<void>;
  /** Writes a new file with all backups of another one except one of them; undefined for engines whose files have one. */
  readonly withoutImage?: (archive: ArchiveImage, newPath: string, signal: AbortSignal) => Promise<void>;
}

/** An engine whose archives are files. */
export interface FileEngine extends Engine {
  readonly name: FileEngineName;
  write(task: WriteTask, outputs: WriteOutputs, events: EngineEvents, signal: AbortSignal): Promise<WrittenFile>;
  /** What each backup in a file says of itself; undefined for one that WimGuard has not written. */
  readOrigins(archivePath: string, signal: AbortSignal): Promise<(ArchiveOrigin | undefined)[]>;
  /** Reads a whole archive that was just written and fails unless all of it can be read. */
  verify(archivePath: string, events: EngineEvents, signal: AbortSignal): Promise<void>;
}

/** An engine whose backups are snapshots in a repository. */
export interface RepositoryEngine extends Engine {
  readonly name: "restic";
  store(task: StoreTask, outputs: StoreOutputs, events: EngineEvents, signal: AbortSignal): Promise<StoredSnapshot>;
  /** Checks the structure of the whole repository, and reads so much of its data. */
  check(archive: ArchiveImage, percent: number, events: EngineEvents, signal: AbortSignal): Promise<void>;
}

/** @throws FailureError NOT_SUPPORTED for an engine whose files have one backup */
export async function takeImageOut(
  { name, withoutImage }: Engine,
  archive: ArchiveImage,
  newPath: string,
  signal: AbortSignal,
): Promise<void> {
  if (withoutImage !== undefined) return withoutImage(archive, newPath, signal);
  fail({ reason: "NOT_SUPPORTED", engine: name, message: `a file of the ${name} engine has one backup only` });
}
