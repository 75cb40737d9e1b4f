import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { ManifestEntry } from "../../manifest/manifest-entry.ts";
import type { ArchiveImage, ManifestOutputs, RepositoryAccess, RepositorySnapshot, WrittenArchive } from "../engine.ts";
import { locationOf } from "./repository/repository-location.ts";
import { checkResticEnd } from "./restic-failure.ts";
import { type ListedNode, type ListedSnapshot, parseNode, parseSnapshot, parseSnapshots } from "./restic-messages.ts";
import { readRestic, runRestic } from "./restic-program.ts";

/** Lists snapshots, oldest first. */
export async function listSnapshots(
  access: RepositoryAccess,
  filter: readonly string[],
  signal: AbortSignal,
): Promise<ListedSnapshot[]> {
  const text = await readRestic(
    access,
    ["snapshots", "--json", "--no-lock", ...filter],
    "list the snapshots of",
    signal,
  );
  return parseSnapshots(text).sort((a, b) => a.timeMs - b.timeMs);
}

/** A snapshot with what is in it, by absolute path. */
export interface ReadSnapshot {
  /** Undefined where restic has not said. */
  readonly snapshot: ListedSnapshot | undefined;
  readonly nodes: Map<string, ListedNode>;
}

/** @param id of the snapshot, or its beginning */
export async function readSnapshot(access: RepositoryAccess, id: string, signal: AbortSignal): Promise<ReadSnapshot> {
  const nodes = new Map<string, ListedNode>();
  let snapshot: ListedSnapshot | undefined;
  const end = await runRestic(
    access,
    {
      args: ["ls", "--json", "--no-lock", id],
      async read(stdout) {
        for await (const line of createInterface({ input: stdout })) {
          const node = parseNode(line);
          if (node !== undefined) nodes.set(node.path, node);
          else snapshot ??= parseSnapshot(line);
        }
      },
    },
    signal,
  );
  checkResticEnd(end, { what: `list snapshot ${id.slice(0, 8)} of ${locationOf(access.repository)}` });
  return { snapshot, nodes };
}

/** What opens the repository of a backup. */
export function accessOf({
  archivePath,
  snapshot,
}: ArchiveImage): RepositoryAccess & { readonly snapshot: RepositorySnapshot } {
  if (snapshot === undefined) throw new Error(`${archivePath} is not a backup in a repository`);
  return { repository: archivePath, secretRef: snapshot.secretRef, snapshot };
}

/** Where a path of a snapshot is relative to its root; undefined for one that is elsewhere. */
export function relativeTo(root: string, path: string): string | undefined {
  if (root === "/") return path.slice(1);
  if (path === root) return "";
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
}

/**
 * Makes the manifest of a snapshot that is in a repository already. restic lists no digests and no targets of links: what it does not say is not
 * compared later.
 */
export async function indexSnapshot(
  archive: ArchiveImage,
  outputs: Pick<ManifestOutputs, "addEntry">,
  signal: AbortSignal,
): Promise<WrittenArchive & { readonly root: string }> {
  const access = accessOf(archive);
  const { nodes } = await readSnapshot(access, access.snapshot.id, signal);
  const root = rootIn(nodes, access.snapshot.root);
  let [sourceBytes, files] = [0, 0];
  for (const node of nodes.values()) {
    const path = relativeTo(root, node.path);
    // The folder of a file that was backed up was not backed up itself.
    if (path === undefined || (path === "" && node.path !== access.snapshot.root)) continue;
    if (node.kind === "file") {
      files++;
      sourceBytes += node.size;
    }
    await outputs.addEntry(toEntry(node, Buffer.from(path)));
  }
  return { sourceBytes, files, image: 1, root };
}

/** The folder that was backed up, or that of a file; the top for one that was backed up by a relative path. */
function rootIn(nodes: ReadonlyMap<string, ListedNode>, path: string): string {
  const node = nodes.get(path);
  if (node === undefined) return "/";
  return node.kind === "folder" ? path : dirname(path);
}

/** An entry of a manifest as restic lists it. */
export function toEntry({ kind, size, mode, uid, gid, mtime }: ListedNode, path: Buffer): ManifestEntry {
  return { path, kind, size, mode, uid, gid, mtime };
}
