import type { ManifestShape } from "../../../manifest/last-entries.ts";
import type { ManifestEntry, ManifestFrame } from "../../../manifest/manifest-entry.ts";
import { readManifest } from "../../../manifest/manifest-file.ts";

/** Frames of an archive, from the beginning of one member to the end of another, with everything that is in them. */
export interface FrameRun {
  readonly frames: readonly ManifestFrame[];
  readonly entries: readonly ManifestEntry[];
  /** Where the next frame begins in the file. */
  readonly fileEnd: number;
}

/**
 * Finds the runs of an archive whose entries are all unchanged. The last frame is left out: it holds the end marker.
 *
 * @param manifestPath of the archive
 * @param shape what a first reading of the manifest has found
 * @param isUnchanged asked for each entry until one of a run is not
 */
export async function* findReusableRuns(
  manifestPath: string,
  { frames, rounds: readAgain }: ManifestShape,
  isUnchanged: (entry: ManifestEntry) => boolean,
): AsyncGenerator<FrameRun> {
  let first = 0;
  let entries: ManifestEntry[] = [];
  let isReusable = true;
  const run = (end: number): FrameRun | undefined => {
    const next = frames[end];
    if (!isReusable || entries.length === 0 || next === undefined) return undefined;
    return { frames: frames.slice(first, end), entries, fileEnd: next.fileOffset };
  };
  let next = 1;
  for await (const entry of readManifest(manifestPath)) {
    const offset = entry.offset ?? 0;
    // Frames that begin inside of this entry, or of the one before, belong to its run.
    while (next < frames.length && (frames[next] as ManifestFrame).offset < offset) next++;
    if (frames[next]?.offset === offset) {
      const found = run(next);
      if (found !== undefined) yield found;
      first = next++;
      entries = [];
      isReusable = true;
    }
    if (!isReusable) continue;
    if (readAgain.has(entry.path.toString("latin1")) || !isUnchanged(entry)) {
      isReusable = false;
      entries = [];
    } else {
      entries.push(entry);
    }
  }
}
