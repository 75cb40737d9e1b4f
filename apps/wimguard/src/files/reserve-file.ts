import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { hasErrorCode } from "../failure/to-failure.ts";

/** Space that is kept for the moment in which a disk is full. */
export interface Reserve {
  /** Takes the space if there is enough and it is not taken yet. */
  ensure(): void;
  /** Gives the space back, for writes that cannot wait. Returns false when there is none. */
  release(): boolean;
}

/** A thousand commits of the catalogue. */
const reserveBytes = 1024 * 1024;

export const noReserve: Reserve = { ensure() {}, release: () => false };

/** Creates a reserve that is a file. It holds nothing, so that losing it in a crash loses nothing. */
export function createReserveFile(path: string): Reserve {
  return {
    ensure() {
      if (sizeOf(path) === reserveBytes) return;
      try {
        fill(path);
      } catch (error) {
        if (!hasErrorCode(error, "ENOSPC", "EDQUOT")) throw error;
        remove(path);
      }
    },
    release: () => remove(path),
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** With bytes: a file of holes takes no space. */
function fill(path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    const bytes = Buffer.alloc(reserveBytes, "reserved");
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
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
