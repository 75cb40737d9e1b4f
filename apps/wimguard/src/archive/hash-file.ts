import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../failure/failure.ts";

const readBytes = 256 * 1024;
/** Between two turns in which messages of other threads are taken: some milliseconds. */
const bytesOfTurn = 4 * 1024 * 1024;
/** Opening and closing a file takes as long as hashing this much. */
const bytesOfOpening = 32 * 1024;

/** All files are read into one buffer: a megabyte for each would have the garbage collector work longer than the hash. */
let buffer: Buffer | undefined;
let sinceTurn = 0;

export interface HashOptions {
  /** Default: sha256. */
  readonly algorithm?: string;
  /** Gets the bytes in order. They are overwritten afterwards. */
  readonly onRead?: (bytes: Buffer) => void;
}

/**
 * The digest of a file in hexadecimal. It reads the whole file synchronously, in turns, so it belongs in a thread.
 *
 * @throws FailureError CANCELLED
 */
export async function hashFile(
  path: string | Buffer,
  signal?: AbortSignal,
  { algorithm = "sha256", onRead }: HashOptions = {},
): Promise<string> {
  buffer ??= Buffer.allocUnsafeSlow(readBytes);
  const hash = createHash(algorithm);
  await countToTurn(bytesOfOpening, signal);
  // A pipe that has taken the place of a file must not be waited for.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      const bytes = buffer.subarray(0, read);
      hash.update(bytes);
      onRead?.(bytes);
      await countToTurn(read, signal);
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

async function countToTurn(bytes: number, signal: AbortSignal | undefined): Promise<void> {
  sinceTurn += bytes;
  if (sinceTurn < bytesOfTurn) return;
  sinceTurn = 0;
  await setImmediate();
  if (signal !== undefined) throwIfCancelled(signal);
}
