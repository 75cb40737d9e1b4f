import { Buffer } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, rename, rm, unlink } from "node:fs/promises";
import { basename } from "node:path";
import type { EngineEvents } from "../engine/engine.ts";
import { throwIfCancelled } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { joinPath, placeOf } from "../source/walk-source.ts";
import type { MergeOptions } from "./conflict.ts";
import { isSelected } from "./restore-selection.ts";

export interface MergeTask extends MergeOptions {
  /** A restored tree, which is emptied. */
  readonly staging: string;
  /** The folder that this was restored in: it is in the target, and none of it. */
  readonly kept: string;
  /** An existing folder on the same file system. */
  readonly target: string;
  /** What was restored, relative to the source; empty for everything. */
  readonly paths: readonly Buffer[];
  readonly keepOwner: boolean;
}

/** Two folders of the same path, open: their names are looked up in these and nowhere else, whatever their paths lead to by now. */
interface OpenPair {
  readonly path: Buffer;
  readonly staged: string;
  readonly target: string;
}

/**
 * Moves a restored tree into a folder, entry by entry. Each entry is replaced as a whole, by a rename, and no link is followed on the
 * way: folders are opened one below the other. What was moved when it is cancelled stays.
 */
export async function mergeTree(task: MergeTask, events: EngineEvents, signal: AbortSignal): Promise<void> {
  await new Merge(task, events, signal).run();
}

class Merge {
  readonly #task: MergeTask;
  readonly #events: EngineEvents;
  readonly #signal: AbortSignal;

  constructor(task: MergeTask, events: EngineEvents, signal: AbortSignal) {
    this.#task = task;
    this.#events = events;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { staging, target } = this.#task;
    await this.#mergeFolder(Buffer.alloc(0), Buffer.from(staging), Buffer.from(target));
  }

  /** Both places are folders. */
  async #mergeFolder(path: Buffer, stagedPlace: Buffer, targetPlace: Buffer): Promise<void> {
    const staged = await openFolder(stagedPlace);
    try {
      const target = await openFolder(targetPlace);
      try {
        const before = await staged.stat({ bigint: true });
        // Names cannot be moved out of a folder that its owner must not write to.
        if ((before.mode & 0o300n) !== 0o300n) await staged.chmod(Number(before.mode & 0o7777n) | 0o300);
        const pair = { path, staged: `/proc/self/fd/${staged.fd}`, target: `/proc/self/fd/${target.fd}` };
        const names = await namesIn(pair.staged);
        if (this.#task.deleteExtra && this.#isWhole(path)) await this.#deleteExtra(pair, names);
        for (const name of names) {
          throwIfCancelled(this.#signal);
          await this.#mergeEntry(pair, name);
        }
        if (this.#task.conflict !== "skip" && this.#isWhole(path)) await this.#applyFolder(target, before);
      } finally {
        await target.close();
      }
    } finally {
      await staged.close();
    }
  }

  /** Whether the folder itself was restored, not only made for what is inside. */
  #isWhole(path: Buffer): boolean {
    return isSelected(this.#task.paths, path);
  }

  async #mergeEntry(pair: OpenPair, name: Buffer): Promise<void> {
    const path = joinPath(pair.path, name);
    const [from, to] = [placeOf(pair.staged, name), placeOf(pair.target, name)];
    const staged = await lstat(from, { bigint: true });
    const found = await lstatOrUndefined(to);
    if (found === undefined) {
      await moveEntry(from, to, staged);
      return;
    }
    if (staged.isDirectory() && found.isDirectory()) return this.#mergeFolder(path, from, to);
    const { conflict } = this.#task;
    if (conflict === "skip") return;
    if (conflict === "if_changed" && (await isSame(from, staged, to, found))) return;
    if (found.isDirectory() && !(await this.#removeFolder(path, to))) return;
    // A folder does not take the place of a file by itself.
    if (staged.isDirectory() && !found.isDirectory()) await unlink(to);
    await moveEntry(from, to, staged);
  }

  /** Returns false, after a warning, where a folder with something in it would have to go for a file. */
  async #removeFolder(path: Buffer, place: Buffer): Promise<boolean> {
    if (!this.#task.deleteExtra && (await readdir(place)).length > 0) {
      const message = "not restored: a folder that is not empty is in its place";
      this.#events.onWarning({ reason: "CONFLICT", path, message });
      return false;
    }
    await rm(place, { recursive: true });
    return true;
  }

  async #deleteExtra(pair: OpenPair, names: readonly Buffer[]): Promise<void> {
    const kept = new Set(names.map((name) => name.toString("latin1")));
    if (pair.path.length === 0) kept.add(basename(this.#task.kept));
    for (const name of await namesIn(pair.target)) {
      if (kept.has(name.toString("latin1"))) continue;
      throwIfCancelled(this.#signal);
      await rm(placeOf(pair.target, name), { recursive: true });
    }
  }

  /** Node sets times to a fraction of a microsecond; what was moved as a whole keeps its nanoseconds. */
  async #applyFolder(target: FileHandle, { mode, uid, gid, atimeNs, mtimeNs }: BigIntStats): Promise<void> {
    if (this.#task.keepOwner && process.geteuid?.() === 0) await target.chown(Number(uid), Number(gid));
    await target.chmod(Number(mode & 0o7777n));
    await target.utimes(Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
  }
}

function openFolder(place: Buffer): Promise<FileHandle> {
  return open(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function namesIn(folder: string): Promise<Buffer[]> {
  return readdir(folder, { encoding: "buffer" });
}

async function lstatOrUndefined(place: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(place, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Moving a folder changes its entry "..", for which its owner needs the right to write to it. */
async function moveEntry(from: Buffer, to: Buffer, { mode }: BigIntStats): Promise<void> {
  const isLocked = (mode & 0o170000n) === 0o040000n && (mode & 0o200n) === 0n;
  if (!isLocked) return rename(from, to);
  const folder = await openFolder(from);
  try {
    await folder.chmod(Number(mode & 0o7777n) | 0o200);
    await rename(from, to);
    await folder.chmod(Number(mode & 0o7777n));
  } finally {
    await folder.close();
  }
}

async function isSame(from: Buffer, staged: BigIntStats, to: Buffer, found: BigIntStats): Promise<boolean> {
  if (staged.mode !== found.mode || staged.rdev !== found.rdev) return false;
  if (staged.isSymbolicLink()) {
    const [expected, target] = await Promise.all([from, to].map((place) => readlink(place, { encoding: "buffer" })));
    return expected?.equals(target as Buffer) === true;
  }
  return staged.size === found.size && staged.mtimeNs === found.mtimeNs;
}
