import type { DatabaseSync } from "node:sqlite";

/** A file that is being written from its beginning. */
export interface DurableFile {
  /** Appends. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every act that has to survive a crash goes through here, so that tests can stop at any of them and see what a power cut would
 * leave. A name that was created, linked, renamed or removed survives only once its folder is synced.
 */
export interface DurableFiles {
  /** Creates a file of mode 0600; rejects with EEXIST if there is one. */
  create(path: string): Promise<DurableFile>;
  /** Syncs a file that another program has written. */
  syncFile(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Syncs a folder with everything in it. */
  syncTree(path: string): Promise<void>;
  /** Gives a file a second name; rejects with EEXIST if there is one. */
  link(from: string, to: string): Promise<void>;
  /** Replaces `to` if there is one. */
  rename(from: string, to: string): Promise<void>;
  /** Resolves to whether there was such a file. */
  unlink(path: string): Promise<boolean>;
  /** Creates a folder of mode 0700; rejects with EEXIST if there is one. */
  makeFolder(path: string): Promise<void>;
  /** Removes a folder with everything in it; one that does not exist is left alone. */
  removeTree(path: string): Promise<void>;
  /** Runs `work` in a transaction that has survived when this returns: all of it, or nothing when it throws. */
  commit<Result>(database: DatabaseSync, work: () => Result): Result;
}
