import type { BackupStore } from "../catalog/backup-store.ts";
import type { EngineName } from "../engine/compression.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import type { DurableFiles } from "../files/durable-files.ts";

/** Backups in repositories. All methods reject with FailureError. */
export interface Repositories {
  /** Returns the reference to the password of a repository. */
  secretRefOf(destination: string): string;
  /** Removes the snapshot of a backup; does nothing if it no longer exists. */
  forget(destination: string, id: string): Promise<void>;
  /** Removes the data of an incomplete backup. */
  forgetBackup(destination: string, uuid: string): Promise<void>;
}

/** Dependencies of the operations on archives. */
export interface ArchiveStores {
  readonly files: DurableFiles;
  readonly backups: BackupStore;
  readonly manifestFolder: string;
  /** Computes the SHA-256 of a file. */
  hash(path: string): Promise<string>;
  /** Writes a new file with all backups of another file except one. */
  withoutImage(engine: EngineName, archive: ArchiveImage, newPath: string): Promise<void>;
  readonly repositories: Repositories;
  nowMs(): number;
}
