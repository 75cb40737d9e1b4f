import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { partPathOf } from "../archive/archive-paths.ts";
import { destinationExists } from "../archive/publish-archive.ts";
import { isReachable } from "../archive/undo-backup.ts";
import { resolveDestination } from "../backup/check-destination.ts";
import type { RegisteredDestination } from "../catalog/registered-items.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import type { UploadStore } from "./upload-store.ts";

/** A piece of a file that a client sends. */
export interface UploadChunk {
  /** In the first one: a destination's name, a slash, and the name of the file. */
  readonly name: string;
  readonly offset: number;
  readonly data: Uint8Array;
  /** Of the whole file, in the last one; empty for an upload that is not to be compared. */
  readonly sha256: Uint8Array;
}

/** A file that has arrived. */
export interface ReceivedUpload {
  readonly size: number;
  readonly sha256: Buffer;
  readonly location: string;
}

export interface UploadParts {
  readonly files: DurableFiles;
  readonly uploads: UploadStore;
  readonly findDestination: (name: string) => RegisteredDestination | undefined;
}

const maxChunkBytes = 1024 * 1024;
/** A file name that is one part of a path, and not hidden: parts of ours are. */
const namePattern = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})\/([^/\0.][^/\0]{0,199})$/;

/**
 * Receives a file into the folder of a registered destination. It gets its name when all of it has arrived and is synced, and an upload that
 * is cut off leaves nothing.
 *
 * @throws FailureError
 */
export async function receiveUpload(chunks: AsyncIterable<UploadChunk>, parts: UploadParts): Promise<ReceivedUpload> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done === true)
      fail({ reason: "FIELD_REQUIRED", field: "name", message: "name is required in the first chunk" });
    const location = await locate(first.value.name, parts);
    return await receive(first.value, iterator, location, parts);
  } finally {
    await iterator.return?.();
  }
}

async function locate(name: string, { findDestination }: UploadParts): Promise<string> {
  const [, destinationName = "", fileName = ""] = namePattern.exec(name) ?? [];
  const destination = findDestination(destinationName);
  if (destination === undefined || destination.engine === "restic") {
    const shown = JSON.stringify(name.slice(0, 100));
    const message = `invalid name ${shown}: use the name of a registered folder, a slash, and a file name`;
    fail({ reason: "FIELD_INVALID", field: "name", message });
  }
  const { path, exists } = await resolveDestination(join(destination.url, fileName));
  if (exists) destinationExists(path);
  return path;
}

async function receive(
  first: UploadChunk,
  more: AsyncIterator<UploadChunk>,
  location: string,
  { files, uploads }: UploadParts,
): Promise<ReceivedUpload> {
  const uuid = randomUUID();
  const partPath = partPathOf(location, uuid);
  const device = String((await stat(dirname(location), { bigint: true })).dev);
  uploads.insert({ uuid, partPath, device });
  try {
    const part = await files.create(partPath);
    const hash = createHash("sha256");
    let size = 0;
    let expected = Buffer.alloc(0);
    try {
      for (let chunk: UploadChunk | undefined = first; chunk !== undefined; ) {
        checkChunk(chunk, size);
        await part.write(chunk.data);
        hash.update(chunk.data);
        size += chunk.data.length;
        expected = Buffer.from(chunk.sha256);
        const next: IteratorResult<UploadChunk> = await more.next();
        chunk = next.done === true ? undefined : next.value;
      }
      await part.sync();
    } finally {
      await part.close();
    }
    const sha256 = hash.digest();
    if (expected.length > 0 && !expected.equals(sha256)) {
      fail({
        reason: "ARCHIVE_DAMAGED",
        path: location,
        message: "what has arrived is not what was sent: repeat the upload",
      });
    }
    await files.link(partPath, location).catch((error) => {
      if (hasErrorCode(error, "EEXIST")) destinationExists(location, error);
      throw error;
    });
    await files.syncFolder(dirname(location));
    return { size, sha256, location };
  } finally {
    await files.unlink(partPath);
    uploads.remove(uuid);
  }
}

function checkChunk({ offset, data }: UploadChunk, size: number): void {
  if (offset !== size) {
    const message = `invalid offset ${offset}: ${size} bytes have arrived, and chunks come without gaps`;
    fail({ reason: "FIELD_INVALID", field: "offset", message });
  }
  if (data.length <= maxChunkBytes) return;
  fail({ reason: "FIELD_INVALID", field: "data", message: `a chunk has at most ${maxChunkBytes} bytes` });
}

/** Removes what uploads have left that a crash has cut off. What is on a disk that is not there waits for a later start. */
export async function recoverUploads({ files, uploads }: Pick<UploadParts, "files" | "uploads">): Promise<void> {
  for (const { uuid, partPath, device } of uploads.all()) {
    if (!(await isReachable({ path: partPath, device }))) continue;
    await files.unlink(partPath);
    await files.syncFolder(dirname(partPath));
    uploads.remove(uuid);
  }
}
