import type { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import type { FoundFile } from "../../manifest/find-file.ts";
import { decompressFrames } from "../../zstd/zstd-frames.ts";
import { isCompressed } from "./restore-tar.ts";

const readBytes = 1024 * 1024;

/** Reads an archive from the headers of a member on, decompressed: its frame is looked up, and skipped as far as needed. */
export async function* openArchive(archivePath: string, { entry, frame }: FoundFile): AsyncGenerator<Buffer> {
  const raw: AsyncIterable<Buffer> = createReadStream(archivePath, {
    start: frame?.fileOffset ?? 0,
    highWaterMark: readBytes,
  });
  const bytes = (await isCompressed(archivePath)) ? decompressFrames(raw) : raw;
  let left = (entry.offset ?? 0) - (frame?.offset ?? 0);
  for await (const chunk of bytes) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
