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
export async function readFrames(manifestPath: string): Promise<ManifestFrame[]> {
  const frames: ManifestFrame[] = [];
  for await (const line of readManifestWithFrames(manifestPath)) if ("frame" in line) frames.push(line.frame);
  return frames;
}
