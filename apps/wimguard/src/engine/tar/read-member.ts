import { Buffer } from "node:buffer";
import { fail, throwIfCancelled } from "../../failure/failure.ts";
import type { FoundFile } from "../../manifest/find-file.ts";
import { displayPath } from "../../manifest/manifest-entry.ts";
import type { ArchiveImage } from "../engine.ts";
import { TarReader } from "./format/tar-reader.ts";
import { openArchive } from "./open-archive.ts";

const zeros = Buffer.alloc(1024 * 1024);

/** Reads the content of one file, from the frame that it begins in: what is before that is not looked at. */
export async function readMember(
  { archivePath }: ArchiveImage,
  file: FoundFile,
  take: (bytes: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  /** A number is a hole of so many zeros. */
  let pieces: (Buffer | number)[] = [];
  let hasEnded = false;
  const reader = new TarReader(
    {
      onContent: (content) => void (hasEnded || pieces.push(content)),
      onHole: (count) => void (hasEnded || pieces.push(count)),
      onMemberEnd() {
        hasEnded = true;
      },
    },
    file.entry.offset ?? 0,
  );
  for await (const chunk of openArchive(archivePath, file)) {
    throwIfCancelled(signal);
    reader.push(chunk);
    const taken = pieces;
    pieces = [];
    for (const piece of taken) await takePiece(piece, take);
    if (hasEnded) return;
  }
  const name = displayPath(file.entry.path);
  const message = `the archive ${archivePath} ends before ${JSON.stringify(name)} does`;
  fail({ reason: "ARCHIVE_DAMAGED", engine: "tar", path: name, message });
}

async function takePiece(piece: Buffer | number, take: (bytes: Buffer) => Promise<void>): Promise<void> {
  if (typeof piece !== "number") return take(piece);
  for (let left = piece; left > 0; left -= Math.min(left, zeros.length)) await take(zeros.subarray(0, left));
}
