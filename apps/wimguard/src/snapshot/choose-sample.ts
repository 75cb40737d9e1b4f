import type { Buffer } from "node:buffer";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";

export interface SampleLimits {
  readonly maxFiles: number;
  readonly maxBytes: number;
}

/** What a drill restores. */
export interface Sample {
  readonly paths: readonly Buffer[];
  readonly bytes: number;
}

/**
 * Chooses entries at random, each with the same chance (reservoir sampling), then as many of them as the bytes allow. Folders come with what
 * is in them, and devices are left out: they need root.
 */
export async function chooseSample(
  entries: AsyncIterable<ManifestEntry>,
  { maxFiles, maxBytes }: SampleLimits,
  random: () => number = Math.random,
): Promise<Sample> {
  const reservoir: { readonly path: Buffer; readonly size: number }[] = [];
  let seen = 0;
  for await (const { path, kind, size } of entries) {
    if (kind === "folder" || kind.endsWith("-device")) continue;
    seen++;
    if (reservoir.length < maxFiles) {
      reservoir.push({ path, size });
      continue;
    }
    const place = Math.floor(random() * seen);
    if (place < maxFiles) reservoir[place] = { path, size };
  }
  let bytes = 0;
  const paths: Buffer[] = [];
  for (const { path, size } of reservoir) {
    if (bytes + size > maxBytes) continue;
    bytes += size;
    paths.push(path);
  }
  return { paths, bytes };
}
