import type { ManifestEntry, ManifestFrame } from "./manifest-entry.ts";
import { readManifest, readManifestWithFrames } from "./manifest-file.ts";

/** The number of the last reading of each file that was read again, by its path. There are few. */
export type Rounds = ReadonlyMap<string, number>;

export async function readRounds(entries: AsyncIterable<ManifestEntry>): Promise<Rounds> {
  const rounds = new Map<string, number>();
  for await (const { path, round } of entries) if (round !== undefined) rounds.set(path.toString("latin1"), round);
  return rounds;
}

/** Whether a later entry of the archive replaces this one. */
export function isReplaced({ path, round = 0 }: ManifestEntry, rounds: Rounds): boolean {
  return rounds.size > 0 && (rounds.get(path.toString("latin1")) ?? 0) > round;
}

/** Reads each path of a manifest once, in its last state. */
export async function* readLastEntries(manifestPath: string): AsyncGenerator<ManifestEntry> {
  const rounds = await readRounds(readManifest(manifestPath));
  for await (const entry of readManifest(manifestPath)) if (!isReplaced(entry, rounds)) yield entry;
}

/** Reads the frames of a manifest, in the order of the archive; none where the archive has none. */
export async function readFrames(manifestPath: string): Promise<readonly ManifestFrame[]> {
  return (await readFramesAndRounds(manifestPath)).frames;
}

/** What is to be known of a manifest before its entries are read. */
export interface ManifestShape {
  /** In the order of the archive. */
  readonly frames: readonly ManifestFrame[];
  readonly rounds: Rounds;
}

/** Reads both at once: decompressing and parsing a manifest takes longer than what is done with it. */
export async function readFramesAndRounds(manifestPath: string): Promise<ManifestShape> {
  const frames: ManifestFrame[] = [];
  const rounds = await readRounds(entriesBeside(manifestPath, frames));
  return { frames, rounds };
}

async function* entriesBeside(manifestPath: string, frames: ManifestFrame[]): AsyncGenerator<ManifestEntry> {
  for await (const line of readManifestWithFrames(manifestPath)) {
    if ("frame" in line) frames.push(line.frame);
    else yield line.entry;
  }
}
