import { Buffer } from "node:buffer";
import { open, realpath, stat } from "node:fs/promises";
import type { FileEngineName } from "../engine/compression.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";

const headBytes = 512;
const zstdMagic = 0xfd2fb528;

/** An archive that exists. */
export interface RecognizedArchive {
  /** Without links. */
  readonly path: string;
  readonly engine: FileEngineName;
  readonly modifiedAtMs: number;
}

/**
 * Finds out by its first bytes which engine reads a file.
 *
 * @throws FailureError ARCHIVE_GONE, or ARCHIVE_UNKNOWN for a file that none reads
 */
export async function recognizeArchive(location: string): Promise<RecognizedArchive> {
  const path = await realpath(location).catch((error) => {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    return fail({ reason: "ARCHIVE_GONE", path: location, message: `${location} does not exist` }, error);
  });
  const found = await stat(path);
  // Opening a pipe would wait for a writer.
  const engine = found.isFile() ? engineOf(await readHead(path)) : undefined;
  if (engine !== undefined) return { path, engine, modifiedAtMs: found.mtimeMs };
  const message = `${location} is not an archive that can be imported: use a .wim, .tar.zst or .tar file`;
  fail({ reason: "ARCHIVE_UNKNOWN", field: "location", path: location, message });
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function engineOf(head: Buffer): FileEngineName | undefined {
  if (head.toString("latin1", 0, 8) === "MSWIM\0\0\0") return "wim";
  if (head.length >= 4 && head.readUInt32LE(0) === zstdMagic) return "tar";
  return head.toString("latin1", 257, 262) === "ustar" ? "tar" : undefined;
}
