import { createHash, randomUUID } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FileChunk, UploadResponse } from "./gen/upload/v1/upload_pb.ts";

const maxChunkBytes = 1024 * 1024;
const maxFileBytes = 1024 * 1024 * 1024;

/**
 * Receives a file into a folder. It reads the next chunk when this one is on disk, so a client that is faster than the disk waits. The file
 * gets its name when it is complete. An upload that breaks off leaves nothing.
 */
export async function receiveFile(
  chunks: AsyncIterable<FileChunk>,
  folder: string,
): Promise<Pick<UploadResponse, "success" | "size">> {
  const partPath = join(folder, `.${randomUUID()}.part`);
  const part = await open(partPath, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let name: string | undefined;
    let size = 0;
    let expected: Uint8Array = new Uint8Array();
    try {
      for await (const chunk of chunks) {
        name ??= checkName(chunk.name);
        size += chunk.data.length;
        if (chunk.data.length > maxChunkBytes) invalid(`a chunk has at most ${maxChunkBytes} bytes`);
        if (size > maxFileBytes) throw new ConnectError("the file is too large", Code.ResourceExhausted);
        hash.update(chunk.data);
        await part.writeFile(chunk.data);
        expected = chunk.sha256;
      }
      await part.sync();
    } finally {
      await part.close();
    }
    if (name === undefined) invalid("name is required in the first chunk");
    if (!hash.digest().equals(expected)) throw new ConnectError("the file was damaged on its way", Code.DataLoss);
    await publish(partPath, join(folder, name), name);
    return { success: true, size: BigInt(size) };
  } finally {
    await rm(partPath, { force: true });
  }
}

/** Uses a link, which fails if the name exists. A rename would replace the file of someone else. */
async function publish(partPath: string, path: string, name: string): Promise<void> {
  try {
    await link(partPath, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new ConnectError(`${name} exists already`, Code.AlreadyExists);
  }
}

/** A single path segment that is not hidden, because unfinished files are. */
function checkName(name: string): string {
  return /^[^/\0.][^/\0]{0,199}$/.test(name) ? name : invalid("name is a file name without a folder");
}

function invalid(message: string): never {
  throw new ConnectError(message, Code.InvalidArgument);
}
