import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import { type ArchiveOrigin, parseOrigin } from "../../archive/archive-origin.ts";
import { readLastSkippable, skippableTailBytes } from "../../zstd/last-skippable.ts";

/** Reads what a .tar.zst file says of itself in its last frame. */
export async function readTarOrigins(archivePath: string): Promise<[ArchiveOrigin | undefined]> {
  const file = await open(archivePath);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, skippableTailBytes);
    const tail = Buffer.alloc(length);
    const { bytesRead } = await file.read(tail, 0, length, size - length);
    const content = readLastSkippable(tail.subarray(0, bytesRead));
    return [content === undefined ? undefined : parseOrigin(content)];
  } finally {
    await file.close();
  }
}
