import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { Gunzip, ZlibOptions } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, DecompressingCall } from "./compression.ts";

/**
 * Up to this many bytes of input the work is done on the spot. Handing it to the thread pool costs about 100 µs of CPU time;
 * at 16 KiB deflating takes about 80 µs and inflating 30 µs (Node 24, one core).
 */
const maxSyncInputBytes = 16 * 1024;

/**
 * Inflating on the spot stops at this much output, about 170 µs of work, and begins again in the thread pool, where what announces more
 * goes at once. Without this bound 16 KiB of hostile input would inflate to 16 MiB while every other connection waits.
 */
const maxSyncOutputBytes = 64 * 1024;

/**
 * Inflates in the thread pool at once, for the whole process: enough to keep every core busy, while memory for results in the
 * making stays at this number times the message limit.
 */
const maxConcurrentInflates = 2 * availableParallelism();

/** Larger chunks save nothing that shows. */
const maxChunkBytes = 4 * 1024 * 1024;

/** Text shrinks to a fifth, rarely to a twentieth. */
const maxInflation = 32;

/** The coding "gzip" (RFC 1952) over node:zlib. */
export const gzipCompression: Compression = { name: "gzip", compress, decompress };

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: Gunzip;
}

/** Loaded for the first message that is compressed: most programs never have one. */
let loaded: ReturnType<typeof loadZlib> | undefined;

function loadZlib() {
  const { gunzip, gunzipSync, gzip, gzipSync } = process.getBuiltinModule("node:zlib");
  return {
    deflateNow: gzipSync as (bytes: Uint8Array) => Buffer,
    deflateLater: promisify(gzip) as (bytes: Uint8Array) => Promise<Buffer>,
    // With `info` both forms return more than their types say.
    inflateNow: gunzipSync as unknown as (bytes: Uint8Array, options: ZlibOptions) => Inflated,
    inflateLater: promisify(gunzip) as unknown as (bytes: Uint8Array, options: ZlibOptions) => Promise<Inflated>,
  };
}

function zlib(): ReturnType<typeof loadZlib> {
  loaded ??= loadZlib();
  return loaded;
}

function compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const { deflateNow, deflateLater } = zlib();
  return bytes.length <= maxSyncInputBytes ? plainView(deflateNow(bytes)) : deflateLater(bytes).then(plainView);
}

function decompress(bytes: Uint8Array, maxBytes: number, call?: DecompressingCall): Uint8Array | Promise<Uint8Array> {
  if (bytes.length <= maxSyncInputBytes && announcedBytes(bytes) <= maxSyncOutputBytes) {
    const maxSyncBytes = Math.min(maxBytes, maxSyncOutputBytes);
    try {
      const options = inflateOptions(maxSyncBytes, chunkBytes(bytes, maxSyncBytes));
      return checkInflated(zlib().inflateNow(bytes, options), bytes, maxBytes);
    } catch (error) {
      if (!isTooLarge(error) || maxBytes <= maxSyncBytes) throw inflateError(error, maxBytes);
    }
  }
  return decompressLater(bytes, maxBytes, call);
}

async function decompressLater(bytes: Uint8Array, maxBytes: number, call?: DecompressingCall): Promise<Uint8Array> {
  const likelyBytes = Math.min(maxBytes, Math.max(announcedBytes(bytes), bytes.length));
  try {
    try {
      return checkInflated(await inflateInRoom(bytes, maxBytes, likelyBytes, call), bytes, maxBytes);
    } catch (error) {
      // Several members, of which only the last is announced, or made up.
      if (!isTooLarge(error) || likelyBytes === maxBytes) throw error;
      return checkInflated(await inflateInRoom(bytes, maxBytes, maxBytes, call), bytes, maxBytes);
    }
  } catch (error) {
    throw inflateError(error, maxBytes);
  }
}

/** Stops at `roomBytes` of output, for which it waits to have room. */
async function inflateInRoom(
  bytes: Uint8Array,
  maxBytes: number,
  roomBytes: number,
  call: DecompressingCall | undefined,
): Promise<Inflated> {
  await call?.takeRoom(roomBytes);
  await takeInflateSlot();
  try {
    if (call?.isCutOff === true)
      throw new ConnectError("the call was cut off before its message was inflated", Code.Canceled);
    // Whoever has room for all of it has room for it in one piece.
    const chunkSize = call === undefined ? chunkBytes(bytes, maxBytes) : Math.min(roomBytes, maxChunkBytes) + 1;
    return await zlib().inflateLater(bytes, inflateOptions(roomBytes, chunkSize));
  } finally {
    giveInflateSlot();
  }
}

function inflateOptions(maxOutputBytes: number, chunkSize: number): ZlibOptions {
  // zlib refuses a limit of 0, and chunks below 64 bytes; checkInflated applies the true limit.
  return { info: true, maxOutputLength: Math.max(1, maxOutputBytes), chunkSize: Math.max(64, chunkSize) };
}

/**
 * Into how much memory zlib writes before it comes back for more. Each time is a way through the thread pool, and the pieces are joined in
 * the end: 1 MiB in pieces of 64 KiB takes twice the time. So the chunk is what the last bytes say that comes out, and one more, by
 * which zlib sees that it is done. A peer may make that up, and memory is to stay in proportion to what it sends.
 */
function chunkBytes(bytes: Uint8Array, maxBytes: number): number {
  // The result keeps a whole chunk alive, so small messages get small ones.
  const usual = Math.min(64 * 1024, Math.max(1024, 4 * bytes.length));
  const most = Math.min(maxBytes, maxChunkBytes, maxInflation * bytes.length);
  return Math.max(usual, Math.min(announcedBytes(bytes) + 1, most));
}

/** ISIZE of the last member (RFC 1952 §2.3.1): its bytes before compression. 0 for data that is not gzip. */
function announcedBytes(bytes: Uint8Array): number {
  const { buffer, byteOffset, length } = bytes;
  return length < 4 ? 0 : new DataView(buffer, byteOffset + length - 4, 4).getUint32(0, true);
}

/** Node ignores zero bytes after the last gzip member, so the consumed length is compared with the length of the input. */
function checkInflated(inflated: Inflated, bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (inflated.engine.bytesWritten !== bytes.length) {
    throw new ConnectError("compressed message is followed by something else", Code.Internal);
  }
  if (inflated.buffer.length > maxBytes) throw tooLargeError(maxBytes);
  return ownBytes(inflated.buffer);
}

/** Several members are inflated with room for the limit, because only the last is announced. A result below half its chunk gets memory of its own. */
function ownBytes(buffer: Buffer): Uint8Array {
  const view = plainView(buffer);
  if (buffer.length >= buffer.buffer.byteLength / 2 || buffer.buffer.byteLength <= maxSyncOutputBytes) return view;
  const own = view.slice();
  // Freed at once and not when the heap is collected: V8 counts the chunk by its size, used or not.
  (buffer.buffer as ArrayBuffer).transfer(0);
  return own;
}

function inflateError(error: unknown, maxBytes: number): ConnectError {
  if (error instanceof ConnectError) return error;
  if (isTooLarge(error)) return tooLargeError(maxBytes);
  const reason = error instanceof Error ? error.message : String(error);
  return new ConnectError(`message is not valid gzip: ${reason}`, Code.Internal, undefined, undefined, error);
}

function tooLargeError(maxBytes: number): ConnectError {
  return new ConnectError(`decompressed message exceeds the limit of ${maxBytes} bytes`, Code.ResourceExhausted);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

/** A Uint8Array instead of a Buffer: decoded messages keep views, and applications expect the plain kind. */
function plainView(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

let inflatesRunning = 0;
/** Those that wait for a slot, first come first served. No longer than the number of calls in progress. */
const waitingForSlot: (() => void)[] = [];

function takeInflateSlot(): Promise<void> | undefined {
  if (inflatesRunning < maxConcurrentInflates) {
    inflatesRunning++;
    return undefined;
  }
  return new Promise((resolve) => waitingForSlot.push(resolve));
}

function giveInflateSlot(): void {
  // A slot goes straight to the next in line; the count stays as it is.
  const next = waitingForSlot.shift();
  if (next === undefined) inflatesRunning--;
  else next();
}
