import { Buffer } from "node:buffer";
import { createReadStream, lstatSync } from "node:fs";
import { hashFile } from "../../../archive/hash-file.ts";
import { fail, throwIfCancelled } from "../../../failure/failure.ts";
import { toFailure } from "../../../failure/to-failure.ts";
import { type ManifestShape, readFramesAndRounds } from "../../../manifest/last-entries.ts";
import type { ManifestEntry } from "../../../manifest/manifest-entry.ts";
import { stateText } from "../../../source/file-state.ts";
import { placeOf } from "../../../source/walk-source.ts";
import type { EngineEvents, PreviousArchive, WriteOutputs } from "../../engine.ts";
import type { ArchiveWriter } from "./archive-writer.ts";
import { FrameSums } from "./frame-sums.ts";
import { findReusableRuns } from "./reusable-runs.ts";

/** What was taken over from an earlier archive. */
export interface ReusedEntries {
  readonly sourceBytes: number;
  readonly files: number;
  /** Whether the archive has a path already, which is then not read. */
  has(path: Buffer): boolean;
  /** Whether the archive has it as something else than a folder: nothing can be inside. */
  hasAsLeaf(path: Buffer): boolean;
}

export const nothingReused: ReusedEntries = { sourceBytes: 0, files: 0, has: () => false, hasAsLeaf: () => false };

const readBytes = 1024 * 1024;

/**
 * Begins an archive with the frames of an earlier one whose files have not changed since: their compressed bytes are copied. An archive that
 * is not what was written is not used, and reported. Whether its bytes can be decompressed was found out when they were written, and is not again.
 */
export async function reuseFrames(
  previous: PreviousArchive,
  folder: string,
  { archive, outputs, events }: { archive: ArchiveWriter; outputs: WriteOutputs; events: EngineEvents },
  signal: AbortSignal,
): Promise<ReusedEntries> {
  const { archivePath, manifestPath } = previous;
  const read = await readPrevious(previous, signal);
  if ("problem" in read) {
    const message = `everything was read again: ${read.problem}`;
    events.onWarning({ reason: "PREVIOUS_DAMAGED", path: Buffer.from(archivePath), message });
    return nothingReused;
  }
  const folders = new Set<string>();
  const leaves = new Set<string>();
  let [sourceBytes, files] = [0, 0];
  for await (const { frames, entries, fileEnd } of findReusableRuns(manifestPath, read, (entry) =>
    isAsItWas(folder, entry),
  )) {
    throwIfCancelled(signal);
    const start = frames[0];
    if (start === undefined) continue;
    const shift = archive.offset - start.offset;
    const bytes = createReadStream(archivePath, {
      start: start.fileOffset,
      end: fileEnd - 1,
      highWaterMark: readBytes,
    });
    const copied = new FrameSums(frames);
    await archive.copy(frames, summed(bytes, copied));
    for (const [at, sum] of copied.sums) {
      const message = `${archivePath} changed while parts of it were copied: repeat the backup when nothing writes to it`;
      if (sum !== read.sums.get(at)) fail({ reason: "IO_FAILED", engine: "tar", path: archivePath, message });
    }
    for (const entry of entries) {
      (entry.kind === "folder" ? folders : leaves).add(entry.path.toString("latin1"));
      if (entry.kind === "file") {
        files++;
        sourceBytes += entry.size;
        events.onBytes(entry.size);
      }
      await outputs.addEntry({ ...entry, offset: (entry.offset ?? 0) + shift });
    }
  }
  const hasAsLeaf = (path: Buffer): boolean => leaves.has(path.toString("latin1"));
  return {
    sourceBytes,
    files,
    has: (path) => hasAsLeaf(path) || folders.has(path.toString("latin1")),
    hasAsLeaf,
  };
}

async function* summed(chunks: AsyncIterable<Buffer>, sums: FrameSums): AsyncGenerator<Buffer> {
  for await (const bytes of chunks) {
    sums.add(bytes);
    yield bytes;
  }
}

type PreviousReading = ManifestShape & Pick<FrameSums, "sums">;

/** Reads all of an archive: a copy of damaged frames would make the new archive useless, and every later one. */
async function readPrevious(
  { archivePath, manifestPath, sha256 }: PreviousArchive,
  signal: AbortSignal,
): Promise<PreviousReading | { readonly problem: string }> {
  try {
    const shape = await readFramesAndRounds(manifestPath);
    const whole = new FrameSums(shape.frames);
    const found = await hashFile(archivePath, signal, { onRead: (bytes) => whole.add(bytes) });
    return found === sha256 ? { ...shape, sums: whole.sums } : { problem: "it is not what was written" };
  } catch (error) {
    throwIfCancelled(signal);
    return { problem: toFailure(error).message };
  }
}

function isAsItWas(folder: string, { path, kind, state }: ManifestEntry): boolean {
  if (state === undefined || kind === "hardlink") return false;
  try {
    return stateText(lstatSync(placeOf(folder, path), { bigint: true })) === state;
  } catch {
    return false;
  }
}
