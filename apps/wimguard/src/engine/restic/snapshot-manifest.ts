import { Buffer, isUtf8 } from "node:buffer";
import { lstatSync } from "node:fs";
import { hashFile } from "../../archive/hash-file.ts";
import { throwIfCancelled } from "../../failure/failure.ts";
import type { EntryKind, ManifestEntry } from "../../manifest/manifest-entry.ts";
import { readManifest } from "../../manifest/manifest-file.ts";
import { isFileMode, type SourceSurvey, type SurveyedEntry } from "../../source/survey-source.ts";
import { placeOf } from "../../source/walk-source.ts";
import type { ManifestOutputs, StoreTask } from "../engine.ts";
import { relativeTo, toEntry } from "./list-snapshot.ts";
import type { ListedNode } from "./restic-messages.ts";
import { joinRoot, toGoText } from "./restic-patterns.ts";

/** SHA-256 of files in hexadecimal, by their paths in latin1. */
export type Digests = ReadonlyMap<string, string>;

/**
 * Digests of all files of a source. Those that an earlier manifest has are taken from it, if the inode shows that the file has not changed since:
 * only what is new is read.
 */
export async function digestSource(
  { source, previousManifestPath }: Pick<StoreTask, "source" | "previousManifestPath">,
  survey: SourceSurvey,
  signal: AbortSignal,
): Promise<Digests> {
  const known = previousManifestPath === undefined ? new Map() : await knownDigests(previousManifestPath);
  const digests = new Map<string, string>();
  const linked = new Set<string>();
  for (const [path, { mode, state, linkGroup }] of survey.entries()) {
    if (!isFileMode(mode)) continue;
    if (linkGroup !== undefined && linked.has(linkGroup)) continue;
    if (linkGroup !== undefined) linked.add(linkGroup);
    throwIfCancelled(signal);
    const key = path.toString("latin1");
    const digest =
      (state === undefined ? undefined : known.get(`${key}\0${state}`)) ?? (await digestOf(source, path, signal));
    if (digest !== undefined) digests.set(key, digest);
  }
  return digests;
}

async function knownDigests(manifestPath: string): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  // One that is damaged only costs the time to read everything again.
  try {
    for await (const { path, state, digest } of readManifest(manifestPath)) {
      if (state !== undefined && digest !== undefined) known.set(`${path.toString("latin1")}\0${state}`, digest);
    }
  } catch {
    known.clear();
  }
  return known;
}

/** Undefined for a file that cannot be read any more. */
async function digestOf(source: string, path: Buffer, signal: AbortSignal): Promise<string | undefined> {
  const place = placeOf(source, path);
  try {
    // A pipe that has taken the place of a file would be waited for.
    if (!lstatSync(place).isFile()) return undefined;
    return `sha256:${await hashFile(place, signal)}`;
  } catch {
    throwIfCancelled(signal);
    return undefined;
  }
}

export interface SnapshotContent {
  /** What the repository says is in the snapshot. */
  readonly nodes: Map<string, ListedNode>;
  readonly root: string;
  /** Of the source in names of the manifest: empty for a folder, the name for a file. */
  readonly nameOf: (path: Buffer) => Buffer;
  readonly digests: Digests;
  /** Files that changed while they were read: what the survey says of them does not count. */
  readonly changed: ReadonlySet<string>;
}

/**
 * Writes the manifest of a snapshot. What is in it, and how large, is what the repository says; names in bytes, links and digests are those of the
 * source. What came into being after the survey is listed at the end.
 */
export async function writeSnapshotManifest(
  survey: SourceSurvey,
  { nodes, root, nameOf, digests, changed }: SnapshotContent,
  outputs: Pick<ManifestOutputs, "addEntry">,
): Promise<{ readonly sourceBytes: number; readonly files: number }> {
  const firstNames = new Map<string, Buffer>();
  let [sourceBytes, files] = [0, 0];
  const add = async (entry: ManifestEntry): Promise<void> => {
    if (entry.kind === "file" || entry.kind === "hardlink") files++;
    sourceBytes += entry.size;
    await outputs.addEntry(entry);
  };
  for (const [path, entry] of survey.entries()) {
    const name = nameOf(path);
    const listedAs = toGoText(joinRoot(root, name));
    const node = nodes.get(listedAs);
    if (node === undefined) continue;
    // Two names that are not UTF-8 may be listed alike.
    if (isUtf8(path)) nodes.delete(listedAs);
    const { linkGroup } = entry;
    const first = linkGroup === undefined ? undefined : firstNames.get(linkGroup);
    if (first !== undefined && node.kind === "file") {
      await add({ ...toEntry(node, name), kind: "hardlink", size: 0, target: first });
      continue;
    }
    if (linkGroup !== undefined) firstNames.set(linkGroup, name);
    await add(
      toFullEntry(
        node,
        name,
        entry,
        changed.has(path.toString("latin1")) ? {} : { digest: digests.get(path.toString("latin1")) },
      ),
    );
  }
  for (const node of nodes.values()) {
    const path = relativeTo(root, node.path);
    const isListed = path === undefined || path === "" || path.includes("\ufffd");
    if (!isListed && survey.find(Buffer.from(path)) === undefined && nameOf(Buffer.alloc(0)).length === 0) {
      await add(toEntry(node, Buffer.from(path)));
    }
  }
  return { sourceBytes, files };
}

/** What the survey knows is added where it is of the same kind. */
function toFullEntry(
  node: ListedNode,
  name: Buffer,
  { target, state }: SurveyedEntry,
  { digest }: { readonly digest?: string | undefined },
): ManifestEntry {
  const kind: EntryKind = node.kind;
  return {
    ...toEntry(node, name),
    ...(kind === "link" && target !== undefined && { target }),
    ...(kind === "file" && digest !== undefined && { digest, ...(state !== undefined && { state }) }),
  };
}
