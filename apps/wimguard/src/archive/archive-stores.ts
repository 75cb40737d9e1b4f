import type { BackupStore } from "../catalog/backup-store.ts";
import type { DurableFiles } from "../files/durable-files.ts";

/** What the acts around an archive need. */
export interface ArchiveStores {
  readonly files: DurableFiles;
  readonly backups: BackupStore;
  readonly manifestFolder: string;
  /** The SHA-256 of a file. */
  hash(path: string): Promise<string>;
  nowMs(): number;
}
