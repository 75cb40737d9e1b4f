import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { DurableFile, DurableFiles } from "../../src/files/durable-files.ts";
import { unsyncedFiles } from "../trees/there-and-back.ts";

/** One durable act, with all that is needed to say what a power cut after it would leave. */
export type Act =
  | { readonly kind: "create"; readonly path: string; readonly inode: number }
  | { readonly kind: "write"; readonly inode: number; readonly bytes: Buffer }
  /** All that another program has written into a file until now. */
  | { readonly kind: "content"; readonly inode: number; readonly bytes: Buffer }
  | { readonly kind: "sync"; readonly inode: number }
  | { readonly kind: "sync-folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly inode: number }
  | { readonly kind: "rename"; readonly from: string; readonly path: string; readonly inode: number }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "commit"; readonly database: Uint8Array }
  /** A file of somebody else, which is there for good. */
  | { readonly kind: "foreign"; readonly path: string; readonly inode: number; readonly bytes: Buffer }
  /** What a client was told, or has asked for: no act, but what has to hold depends on it. */
  | { readonly kind: "told"; readonly fact: Fact };

export type Fact =
  | { readonly kind: "completed"; readonly uuid: string }
  | { readonly kind: "delete-requested"; readonly uuid: string }
  | { readonly kind: "deleted"; readonly uuid: string };

export interface RecordingOptions {
  /** The act with this number fails with this code instead of being done. */
  readonly failAt?: { readonly act: number; readonly code: string };
  /** This act and all later ones fail, as if the process had ended. */
  readonly stopAt?: number;
  /** As on file systems without hard links. */
  readonly hasLinks?: boolean;
  /** Called before a link is made. */
  readonly beforeLink?: (to: string) => void;
}

/** DurableFiles that do what they are asked, and record it. */
export class RecordingFiles implements DurableFiles {
  readonly acts: Act[] = [];
  readonly #files = unsyncedFiles;
  readonly #options: RecordingOptions;
  readonly #inodes = new Map<string, number>();
  #nextInode = 1;
  #count = 0;

  constructor(options: RecordingOptions = {}) {
    this.#options = options;
  }

  /** Acts that were asked for, those that failed included. */
  get count(): number {
    return this.#count;
  }

  tell(fact: Fact): void {
    this.acts.push({ kind: "told", fact });
  }

  addForeign(path: string, content: string): void {
    writeFileSync(path, content);
    this.acts.push({ kind: "foreign", path, inode: this.#newInode(path), bytes: Buffer.from(content) });
  }

  async create(path: string): Promise<DurableFile> {
    this.#begin(path);
    const file = await this.#files.create(path);
    const inode = this.#newInode(path);
    this.acts.push({ kind: "create", path, inode });
    return {
      write: async (bytes) => {
        this.#begin(path);
        await file.write(bytes);
        this.acts.push({ kind: "write", inode, bytes: Buffer.from(bytes) });
      },
      sync: async () => {
        this.#begin(path);
        await file.sync();
        this.acts.push({ kind: "sync", inode });
      },
      close: () => file.close(),
    };
  }

  async syncFile(path: string): Promise<void> {
    this.#begin(path);
    await this.#files.syncFile(path);
    const known = this.#inodes.get(path);
    const inode = known ?? this.#newInode(path);
    // A file that another program has made, under a name that is ours.
    if (known === undefined) this.acts.push({ kind: "create", path, inode });
    this.acts.push({ kind: "content", inode, bytes: readFileSync(path) }, { kind: "sync", inode });
  }

  async syncFolder(path: string): Promise<void> {
    this.#begin(path);
    await this.#files.syncFolder(path);
    this.acts.push({ kind: "sync-folder", path });
  }

  async syncTree(path: string): Promise<void> {
    this.#begin(path);
    await this.#files.syncTree(path);
  }

  async link(from: string, to: string): Promise<void> {
    this.#options.beforeLink?.(to);
    if (this.#options.hasLinks === false) throw systemError("EPERM", "link", to);
    this.#begin(to);
    await this.#files.link(from, to);
    const inode = this.#inodeOf(from);
    this.#inodes.set(to, inode);
    this.acts.push({ kind: "link", path: to, inode });
  }

  async rename(from: string, to: string): Promise<void> {
    this.#begin(to);
    await this.#files.rename(from, to);
    const inode = this.#inodeOf(from);
    this.#inodes.delete(from);
    this.#inodes.set(to, inode);
    this.acts.push({ kind: "rename", from, path: to, inode });
  }

  async unlink(path: string): Promise<boolean> {
    this.#begin(path);
    const wasThere = await this.#files.unlink(path);
    this.#inodes.delete(path);
    if (wasThere) this.acts.push({ kind: "unlink", path });
    return wasThere;
  }

  async makeFolder(path: string): Promise<void> {
    this.#begin(path);
    await this.#files.makeFolder(path);
    this.#newInode(path);
  }

  async removeTree(path: string): Promise<void> {
    this.#begin(path);
    await this.#files.removeTree(path);
  }

  commit<Result>(database: DatabaseSync, work: () => Result): Result {
    this.#begin("the catalogue");
    const result = this.#files.commit(database, work);
    this.acts.push({ kind: "commit", database: serialize(database) });
    return result;
  }

  #begin(path: string): void {
    const act = this.#count++;
    const { failAt, stopAt = Number.POSITIVE_INFINITY } = this.#options;
    if (act >= stopAt) throw systemError("ESTOPPED", "act", path);
    if (failAt?.act === act) throw systemError(failAt.code, "act", path);
  }

  #newInode(path: string): number {
    const inode = this.#nextInode++;
    this.#inodes.set(path, inode);
    return inode;
  }

  #inodeOf(path: string): number {
    const inode = this.#inodes.get(path);
    if (inode === undefined) throw new Error(`${path} was not made through this port`);
    return inode;
  }
}

/** The database as a file, its journal included. */
function serialize(database: DatabaseSync): Uint8Array {
  // Not in the type definitions yet.
  const { serialize: toBytes } = database as unknown as { serialize?: () => Uint8Array };
  if (toBytes !== undefined) return toBytes.call(database);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return readFileSync(database.location() as string);
}

function systemError(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall, path });
}
