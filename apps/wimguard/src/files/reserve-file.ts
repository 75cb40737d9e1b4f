import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, statSync, truncateSync, unlinkSync, writeSync } from "node:fs";
import { hasErrorCode } from "../failure/to-failure.ts";

/** Space that is kept for the moment in which a disk is full. */
export interface Reserve {
  /** Takes the space if it is not taken yet; half of what there is where there is less, because others need the disk as well. */
  ensure(): void;
  /** Gives the space back, for writes that cannot wait. Returns false when there is none. */
  release(): boolean;
}

/** A hundred commits of the catalogue. */
const reserveBytes = 1024 * 1024;
/** Ends what a few jobs have begun. Less is of no use. */
const minReserveBytes = 64 * 1024;
const blockBytes = 4096;

export const noReserve: Reserve = { ensure() {}, release: () => false };

/** Creates a reserve that is a file. It holds nothing, so that losing it in a crash loses nothing. */
export function createReserveFile(path: string): Reserve {
  return {
    ensure() {
      if (sizeOf(path) === reserveBytes) return;
      const filled = fill(path);
      if (filled === reserveBytes) return;
      const kept = Math.floor(filled / 2 / blockBytes) * blockBytes;
      if (kept < minReserveBytes) remove(path);
      else truncateSync(path, kept);
    },
    release: () => remove(path),
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** With bytes: a file of holes takes no space. Returns how many the disk has taken. */
function fill(path: string): number {
  const bytes = Buffer.alloc(reserveBytes, "reserved");
  let written = 0;
  let file: number | undefined;
  try {
    file = openSync(path, "w", 0o600);
    while (written < bytes.length) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } catch (error) {
    if (!hasErrorCode(error, "ENOSPC", "EDQUOT")) throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return written;
}

function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
}
