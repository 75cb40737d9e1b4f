import type { Buffer } from "node:buffer";
import { fail } from "../failure/failure.ts";
import { displayPath, type ManifestEntry, type ManifestFrame } from "./manifest-entry.ts";
import { readManifestWithFrames } from "./manifest-file.ts";

/** A file of an archive, and where its data can be read. */
export interface FoundFile {
  readonly entry: ManifestEntry;
  /** The frame that its headers begin in; undefined for archives without frames. */
  readonly frame: ManifestFrame | undefined;
}

/**
 * Finds a file in a manifest; a hard link leads to the member that it repeats.
 *
 * @throws FailureError PATH_NOT_IN_ARCHIVE, FIELD_INVALID for what has no content
 */
export async function findFile(manifestPath: string, path: Buffer): Promise<FoundFile> {
  const found = await findPath(manifestPath, path);
  const { kind, target } = found.entry;
  if (kind === "hardlink" && target !== undefined) return findPath(manifestPath, target);
  if (kind === "file") return found;
  const name = displayPath(path);
  const message = `${JSON.stringify(name)} is not a file but a ${kind.replace("-", " ")}: it has no content`;
  fail({ reason: "FIELD_INVALID", field: "path", path: name, message });
}

async function findPath(manifestPath: string, path: Buffer): Promise<FoundFile> {
  let entry: ManifestEntry | undefined;
  const frames: ManifestFrame[] = [];
  for await (const line of readManifestWithFrames(manifestPath)) {
    if ("frame" in line) frames.push(line.frame);
    // The last one counts: a file that changed while it was read was read again.
    else if (line.entry.path.equals(path)) entry = line.entry;
  }
  if (entry === undefined) {
    const name = displayPath(path);
    fail({ reason: "PATH_NOT_IN_ARCHIVE", path: name, message: `${JSON.stringify(name)} is not in the backup` });
  }
  const { offset = 0 } = entry;
  return { entry, frame: frames.findLast((frame) => frame.offset <= offset) };
}
