import type { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { fail } from "../failure/failure.ts";
import { isReplaced, readRounds } from "../manifest/last-entries.ts";
import { displayPath, type ManifestEntry } from "../manifest/manifest-entry.ts";
import { readManifest } from "../manifest/manifest-file.ts";

export interface EntriesRequest {
  /** A folder, relative to the source; empty for the source. */
  readonly parent: Buffer;
  /** What is inside of folders as well. */
  readonly isRecursive: boolean;
  matches(entry: ManifestEntry): boolean;
  /** Matching entries that earlier pages had. */
  readonly skip: number;
  readonly limit: number;
}

export interface EntriesPage {
  readonly entries: ManifestEntry[];
  readonly total: number;
}

/**
 * Lists what a folder of a snapshot has, in the order of the archive. A hard link has the size and the digest of the file.
 *
 * @throws FailureError PATH_NOT_IN_ARCHIVE, FIELD_INVALID for a parent that is not a folder
 */
export async function listEntries(manifestPath: string, request: EntriesRequest): Promise<EntriesPage> {
  const { parent, isRecursive, matches, skip, limit } = request;
  const parentText = parent.toString("latin1");
  const isInside = (text: string): boolean => {
    if (text === "") return false;
    if (isRecursive) return parentText === "" || text.startsWith(`${parentText}/`);
    const above = dirname(text);
    return (above === "." ? "" : above) === parentText;
  };
  let hasParent = false;
  const entries: ManifestEntry[] = [];
  let total = 0;
  for await (const entry of readResolvedEntries(manifestPath)) {
    const text = entry.path.toString("latin1");
    if (text === parentText) {
      hasParent = true;
      if (entry.kind !== "folder") notFolder(parent);
    }
    if (!isInside(text) || !matches(entry)) continue;
    total++;
    if (total > skip && entries.length < limit) entries.push(entry);
  }
  // The source itself may be a file, which has no entry above it.
  if (!hasParent && parent.length > 0) {
    const path = displayPath(parent);
    fail({ reason: "PATH_NOT_IN_ARCHIVE", path, message: `${JSON.stringify(path)} is not in the snapshot` });
  }
  return { entries, total };
}

/** Reads each path of a manifest once, in its last state; hard links with size and digest of what they repeat. */
export async function* readResolvedEntries(manifestPath: string): AsyncGenerator<ManifestEntry> {
  const targets = new Map<string, Pick<ManifestEntry, "size" | "digest"> | undefined>();
  for await (const { kind, target } of readManifest(manifestPath)) {
    if (kind === "hardlink" && target !== undefined) targets.set(target.toString("latin1"), undefined);
  }
  const rounds = await readRounds(readManifest(manifestPath));
  for await (const entry of readManifest(manifestPath)) {
    if (isReplaced(entry, rounds)) continue;
    const { path, kind, target, size, digest } = entry;
    if (kind === "hardlink" && target !== undefined) {
      yield { ...entry, ...targets.get(target.toString("latin1")) };
      continue;
    }
    if (targets.size > 0 && targets.has(path.toString("latin1"))) {
      targets.set(path.toString("latin1"), { size, ...(digest !== undefined && { digest }) });
    }
    yield entry;
  }
}

function notFolder(parent: Buffer): never {
  const path = displayPath(parent);
  const message = `${JSON.stringify(path)} is not a folder: pass the folder that it is in`;
  fail({ reason: "FIELD_INVALID", field: "parent", path, message });
}
