import type { BackupStore } from "../catalog/backup-store.ts";
import type { EngineName } from "../engine/compression.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import type { DurableFiles } from "../files/durable-files.ts";

/** What the acts around an archive need. */
export interface ArchiveStores {
  readonly files: DurableFiles;
  readonly backups: BackupStore;
  readonly manifestFolder: string;
  /** The SHA-256 of a file. */
  hash(path: string): Promise<string>;
  /** Writes a new file with all backups of another one except one of them. */
  withoutImage(engine: EngineName, archive: ArchiveImage, newPath: string): Promise<void>;
  nowMs(): number;
}
