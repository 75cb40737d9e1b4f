import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import type { Act } from "./recording-files.ts";

/** How much of what was not synced a crash leaves: all of it after kill -9, nothing or anything after a power cut. */
export type Survival = "all" | "nothing" | "random";

/** What a crash leaves on the disk. */
export interface CrashImage {
  readonly files: ReadonlyMap<string, Buffer>;
  /** Undefined before the first commit. */
  readonly database: Uint8Array | undefined;
}

interface Inode {
  current: Buffer;
  synced: Buffer;
}

/** A change of names in one folder, which happens whole or not at all. */
interface NameChange {
  readonly removed?: string;
  readonly added?: { readonly path: string; readonly inode: number };
}

interface Folder {
  readonly synced: Map<string, number>;
  pending: NameChange[];
}

/** Computes what a crash after these acts leaves, by the rules of POSIX: only what was synced is certain. */
export function crashImage(acts: readonly Act[], survival: Survival, random: () => number): CrashImage {
  const inodes = new Map<number, Inode>();
  const folders = new Map<string, Folder>();
  let database: Uint8Array | undefined;
  const folderOf = (path: string): Folder => {
    const name = dirname(path);
    const found = folders.get(name) ?? { synced: new Map(), pending: [] };
    folders.set(name, found);
    return found;
  };
  for (const act of acts) {
    switch (act.kind) {
      case "create":
        inodes.set(act.inode, { current: Buffer.alloc(0), synced: Buffer.alloc(0) });
        folderOf(act.path).pending.push({ added: act });
        break;
      case "write": {
        const inode = inodes.get(act.inode) as Inode;
        inode.current = Buffer.concat([inode.current, act.bytes]);
        break;
      }
      case "content": {
        const inode = inodes.get(act.inode) as Inode;
        inode.current = act.bytes;
        break;
      }
      case "sync": {
        const inode = inodes.get(act.inode) as Inode;
        inode.synced = inode.current;
        break;
      }
      case "link":
        folderOf(act.path).pending.push({ added: act });
        break;
      case "rename":
        folderOf(act.path).pending.push({ removed: act.from, added: act });
        break;
      case "unlink":
        folderOf(act.path).pending.push({ removed: act.path });
        break;
      case "sync-folder": {
        const folder = folderOf(`${act.path}/x`);
        for (const change of folder.pending) apply(folder.synced, change);
        folder.pending = [];
        break;
      }
      case "foreign":
        inodes.set(act.inode, { current: act.bytes, synced: act.bytes });
        folderOf(act.path).synced.set(act.path, act.inode);
        break;
      case "commit":
        database = act.database;
        break;
      case "told":
        break;
    }
  }
  const files = new Map<string, Buffer>();
  for (const { synced, pending } of folders.values()) {
    const names = new Map(synced);
    for (const change of pending) {
      if (survival === "all" || (survival === "random" && random() < 0.5)) apply(names, change);
    }
    for (const [path, inode] of names) files.set(path, contentOf(inodes.get(inode) as Inode, survival, random));
  }
  return { files, database };
}

function apply(names: Map<string, number>, { removed, added }: NameChange): void {
  if (removed !== undefined) names.delete(removed);
  if (added !== undefined) names.set(added.path, added.inode);
}

function contentOf({ current, synced }: Inode, survival: Survival, random: () => number): Buffer {
  if (survival === "all") return current;
  if (survival === "nothing" || current.equals(synced)) return synced;
  const cut = Math.floor(random() * (current.length + 1));
  const choice = random();
  if (choice < 0.25) return synced;
  if (choice < 0.5) return current;
  // A file that was cut off, and one whose length arrived before its content.
  return choice < 0.75
    ? current.subarray(0, cut)
    : Buffer.concat([current.subarray(0, cut), Buffer.alloc(current.length - cut)]);
}
