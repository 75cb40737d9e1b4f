import { accessSync, constants, statfsSync } from "node:fs";
import type { Proof } from "./proof.ts";

const memory = "/dev/shm";
const tmpfsType = 0x01021994;
/** For the archives of a few items at once. */
const neededBytes = 2 ** 30;

/** Runs items with their files in memory, where there is room, unless they need a disk or TMPDIR says another place. */
export async function inItsFolder<Result>(
  { onDisk = false }: Pick<Proof, "onDisk">,
  work: () => Promise<Result>,
): Promise<Result> {
  if (onDisk || process.env.TMPDIR !== undefined || !hasMemory()) return work();
  process.env.TMPDIR = memory;
  try {
    return await work();
  } finally {
    delete process.env.TMPDIR;
  }
}

function hasMemory(): boolean {
  try {
    accessSync(memory, constants.W_OK);
    const { type, bavail, bsize } = statfsSync(memory);
    return type === tmpfsType && bavail * bsize >= neededBytes;
  } catch {
    return false;
  }
}
