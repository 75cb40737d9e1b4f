import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import type { ArchiveImage, EngineEvents } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { maxNameBytes, maxNames, readInOrder } from "./read-in-order.ts";
import { verify } from "./read-wim.ts";
import type { ImageEntry } from "./wim-image.ts";
import { drain, program } from "./wim-program.ts";

/** What an image has brought into a file that was there before. */
export interface AddedFiles {
  /** Takes each entry of the image. */
  take(entry: ImageEntry): void;
  /** One of each content; undefined where it is not known which they are, or where there are too many: then verifying everything takes little longer. */
  readonly files: readonly ImageEntry[] | undefined;
}

/** @returns undefined for a file without a table of checksums: then nothing shows that what was in it is as it was */
export async function createAddedFiles(basePath: string): Promise<AddedFiles | undefined> {
  if (!(await hasIntegrityTable(basePath))) return undefined;
  const { size } = await stat(basePath);
  const files = new Map<string, ImageEntry>();
  let nameBytes = 0;
  let isKnown = true;
  return {
    take(entry) {
      const { digest, storedAt, path } = entry;
      if (digest === undefined || !isKnown) return;
      // Whatever is added is written behind the end of the file.
      if (storedAt !== undefined && storedAt < size) return;
      if (!files.has(digest)) nameBytes += path.length;
      files.set(digest, entry);
      isKnown = storedAt !== undefined && files.size <= maxNames && nameBytes <= maxNameBytes;
    },
    get files() {
      return isKnown ? [...files.values()] : undefined;
    },
  };
}

const headerBytes = 208;
/** Of the table's place in the file, which is 0 where there is none. */
const integrityOffsetAt = 132;

async function hasIntegrityTable(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return bytesRead === headerBytes && buffer.readBigUInt64LE(integrityOffsetAt) !== 0n;
  } finally {
    await file.close();
  }
}

/**
 * Verifies a file that an image was added to. Its table has checksums of all of its bytes, and those of what was there before are as old as that:
 * if they hold, these bytes are the ones that were verified when they were written, and only the files that were added have to be decompressed. If
 * anything is not as it should be, everything is verified.
 *
 * @throws FailureError ARCHIVE_DAMAGED
 */
export async function verifyAppended(
  archive: ArchiveImage,
  files: readonly ImageEntry[],
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  events.onPhase("verifying");
  if ((await hasItsChecksums(archive, signal)) && (await haveTheirDigests(archive, files, signal))) return;
  await verify(archive.archivePath, events, signal);
}

async function hasItsChecksums({ archivePath }: ArchiveImage, signal: AbortSignal): Promise<boolean> {
  const args = ["info", archivePath, "--check", "--header"];
  return (await runProgram({ engine: "wim", program, args, read: drain }, signal)).code === 0;
}

/** Whether files of an image are what its list says. */
export async function haveTheirDigests(
  archive: ArchiveImage,
  files: readonly ImageEntry[],
  signal: AbortSignal,
): Promise<boolean> {
  let isWrong = false;
  let hash = createHash("sha1");
  const contents = {
    onBytes: (bytes: Buffer) => void hash.update(bytes),
    onEnd(index: number) {
      isWrong ||= `sha1:${hash.digest("hex")}` !== files[index]?.digest;
      hash = createHash("sha1");
    },
  };
  const { code, ended, isLonger } = await readInOrder(archive, files, contents, signal);
  return code === 0 && ended === files.length && !isLonger && !isWrong;
}
