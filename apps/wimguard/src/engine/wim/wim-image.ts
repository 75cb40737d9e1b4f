import { Buffer } from "node:buffer";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { EntryKind, ManifestEntry } from "../../manifest/manifest-entry.ts";

/** One file of an image, as `wimlib-imagex dir --detailed` lists it. */
export interface ImageEntry {
  readonly path: Buffer;
  readonly kind: EntryKind;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly digest: string | undefined;
  /** Where its content begins in the file; undefined where the program does not say. */
  readonly storedAt: number | undefined;
  /** The same for all names of one file; undefined for a file of one name. */
  readonly linkGroup: string | undefined;
}

const separator = "-".repeat(76);
const noHash = "0".repeat(40);

const kindOfType: Readonly<Record<number, EntryKind>> = {
  4: "folder",
  8: "file",
  10: "link",
  1: "fifo",
  2: "character-device",
  6: "block-device",
};

/** Reads the listing record by record. Names may contain line breaks. */
export async function* readImageListing(stdout: Readable): AsyncGenerator<ImageEntry> {
  let lines: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    if (line !== separator) {
      lines.push(line);
      continue;
    }
    const entry = parseImageEntry(lines.join("\n"));
    lines = [];
    if (entry !== undefined) yield entry;
  }
  const last = parseImageEntry(lines.join("\n"));
  if (last !== undefined) yield last;
}

/** Parses one record; undefined for text that is none, and for sockets. */
export function parseImageEntry(record: string): ImageEntry | undefined {
  const [, fullPath] = /^Full Path {11}= "\/([\s\S]*)"\nShort Name {10}= "/.exec(record) ?? [];
  const [, uid, gid, mode] = /^UNIX Data {11}= uid:(\d+) gid:(\d+) mode:0*([0-7]+) /m.exec(record) ?? [];
  if (fullPath === undefined || mode === undefined) return undefined;
  const bits = Number.parseInt(mode, 8);
  const kind = kindOfType[bits >> 12];
  if (kind === undefined) return undefined;
  const [, hash = noHash, size = "0"] =
    /Unnamed data stream:\nHash {14}= 0x([0-9a-f]{40})\nUncompressed size = (\d+) bytes/.exec(record) ?? [];
  const [, storedAt] = /^Offset in WIM += (\d+) bytes$/m.exec(record) ?? [];
  const [, group = "", count = "1"] = /^Link Group ID {7}= (0x[0-9a-f]+)\nLink Count {10}= (\d+)$/m.exec(record) ?? [];
  return {
    path: Buffer.from(fullPath),
    kind,
    size: kind === "file" ? Number(size) : 0,
    mode: bits & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    digest: kind === "file" && hash !== noHash ? `sha1:${hash}` : undefined,
    storedAt: storedAt === undefined ? undefined : Number(storedAt),
    linkGroup: Number(count) > 1 ? group : undefined,
  };
}

/** Turns the entries of an image into those of a manifest: the second name of a file becomes a hard link to the first. */
export function createImageManifest(): (
  entry: ImageEntry,
  more: Pick<ManifestEntry, "mtime" | "target">,
) => ManifestEntry {
  const firstNames = new Map<string, Buffer>();
  return ({ linkGroup, digest, storedAt: _, ...entry }, { mtime, target }) => {
    const time = mtime === undefined ? {} : { mtime };
    const first = linkGroup === undefined || entry.kind !== "file" ? undefined : firstNames.get(linkGroup);
    if (first !== undefined) return { ...entry, kind: "hardlink", size: 0, ...time, target: first };
    if (linkGroup !== undefined && entry.kind === "file") firstNames.set(linkGroup, entry.path);
    return { ...entry, ...time, ...(target !== undefined && { target }), ...(digest !== undefined && { digest }) };
  };
}
