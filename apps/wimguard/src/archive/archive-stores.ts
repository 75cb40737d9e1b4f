import type { BackupStore } from "../catalog/backup-store.ts";
import type { EngineName } from "../engine/compression.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import type { DurableFiles } from "../files/durable-files.ts";

/** Backups that are not files. Everything rejects with a FailureError. */
export interface Repositories {
  /** Where the password of a repository comes from. */
  secretRefOf(destination: string): string;
  /** Removes the snapshot of a backup; one that is gone already is left alone. */
  forget(destination: string, id: string): Promise<void>;
  /** Removes what a backup has stored that did not complete. */
  forgetBackup(destination: string, uuid: string): Promise<void>;
}

/** What the acts around an archive need. */
export interface ArchiveStores {
  readonly files: DurableFiles;
  readonly backups: BackupStore;
  readonly manifestFolder: string;
  /** The SHA-256 of a file. */
  hash(path: string): Promise<string>;
  /** Writes a new file with all backups of another one except one of them. */
  withoutImage(engine: EngineName, archive: ArchiveImage, newPath: string): Promise<void>;
  readonly repositories: Repositories;
  nowMs(): number;
}
