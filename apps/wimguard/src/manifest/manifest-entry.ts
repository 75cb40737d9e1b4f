import { Buffer } from "node:buffer";
import { fail } from "../failure/failure.ts";

export type EntryKind = "file" | "folder" | "link" | "hardlink" | "fifo" | "character-device" | "block-device";

const kinds: readonly string[] = ["file", "folder", "link", "hardlink", "fifo", "character-device", "block-device"];

/** One path of a backup. */
export interface ManifestEntry {
  /** Relative to the source, any bytes; empty for the source itself. */
  readonly path: Buffer;
  readonly kind: EntryKind;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 as decimal text; absent where the archive's own is not known, because the entry changed while it was read. */
  readonly mtime?: string;
  /** The target of a link; of a hard link the path that it repeats, relative to the source. */
  readonly target?: Buffer;
  /** `sha256:…` or `sha1:…`, of files. */
  readonly digest?: string;
  /** Where its headers begin in the uncompressed tar. */
  readonly offset?: number;
  /** How often the file had been read before: it changed meanwhile, and this entry replaces the earlier ones. */
  readonly round?: number;
  /** What the entry's inode was when it was read: while it is the same, the next backup need not read it again. */
  readonly state?: string;
}

/** A piece of a tar archive that is compressed for itself. */
export interface ManifestFrame {
  /** Where it begins in the uncompressed archive. */
  readonly offset: number;
  readonly bytes: number;
  /** Where it begins in the file. */
  readonly fileOffset: number;
}

/** Formats an entry as a line of a manifest, without the line break. Paths that are not UTF-8 are written in base64. */
export function formatEntry(entry: ManifestEntry): string {
  const { path, target, kind, size, mode, uid, gid, mtime, digest, offset, round, state } = entry;
  return JSON.stringify({
    ...named("path", path),
    kind,
    size,
    mode,
    uid,
    gid,
    mtime,
    ...(target !== undefined && named("target", target)),
    digest,
    offset,
    round,
    state,
  });
}

/** @throws FailureError ARCHIVE_DAMAGED for a line that is not an entry */
export function parseEntry(line: string): ManifestEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    malformed(line);
  }
  if (typeof value !== "object" || value === null) malformed(line);
  const fields = value as Record<string, unknown>;
  const path = bytesOf(fields, "path");
  const target = bytesOf(fields, "target");
  const { kind, mtime, digest } = fields;
  if (
    path === undefined ||
    typeof kind !== "string" ||
    !kinds.includes(kind) ||
    (mtime !== undefined && typeof mtime !== "string")
  )
    malformed(line);
  const number = (name: string): number => {
    const found = fields[name];
    return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : malformed(line);
  };
  return {
    path,
    kind: kind as EntryKind,
    size: number("size"),
    mode: number("mode"),
    uid: number("uid"),
    gid: number("gid"),
    ...(mtime !== undefined && { mtime }),
    ...(target !== undefined && { target }),
    ...(typeof digest === "string" && { digest }),
    ...(fields.offset !== undefined && { offset: number("offset") }),
    ...(fields.round !== undefined && { round: number("round") }),
    ...(typeof fields.state === "string" && { state: fields.state }),
  };
}

/** @throws FailureError ARCHIVE_DAMAGED for a line that is not a frame */
export function parseFrame(line: string): ManifestFrame {
  const numbers = /^\{"frame":\{"offset":(\d{1,15}),"bytes":(\d{1,15}),"fileOffset":(\d{1,15})\}\}$/.exec(line);
  if (numbers === null) malformed(line);
  const [offset, bytes, fileOffset] = numbers.slice(1).map(Number) as [number, number, number];
  return { offset, bytes, fileOffset };
}

function named(name: string, bytes: Buffer): Record<string, string> {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}Base64`]: bytes.toString("base64") };
}

function bytesOf(fields: Record<string, unknown>, name: string): Buffer | undefined {
  const text = fields[name];
  if (typeof text === "string") return Buffer.from(text);
  const encoded = fields[`${name}Base64`];
  return typeof encoded === "string" ? Buffer.from(encoded, "base64") : undefined;
}

function malformed(line: string): never {
  fail({ reason: "ARCHIVE_DAMAGED", message: `malformed line in the manifest: ${line.slice(0, 80)}` });
}

/** A path for people: bytes that are not UTF-8 become U+FFFD. */
export function displayPath(path: Buffer): string {
  return path.length === 0 ? "." : path.toString("utf8");
}
