import { createBrotliDecompress } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";

/** Each piece is a way through the thread pool and back, which costs as much as inflating 64 KiB. */
const minPieceBytes = 64 * 1024;
const maxPieceBytes = 1024 * 1024;
/** Text shrinks to a tenth or so; what shrinks more comes in several pieces. */
const likelyInflation = 16;

/**
 * Inflates Brotli (RFC 7932) in the thread pool, into memory that belongs to the caller alone. What is dropped is freed at once, and not when the heap is
 * collected: a client whose bodies inflate a thousand times made 80 MiB of it pile up.
 *
 * @throws ConnectError (rejects) for what is not Brotli, is followed by something else, or has more than `maxBytes`
 */
export function inflateBrotli(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunkSize = Math.min(maxPieceBytes, Math.max(minPieceBytes, likelyInflation * bytes.length));
    const engine = createBrotliDecompress({ chunkSize });
    const pieces: Buffer[] = [];
    let length = 0;
    engine.on("data", (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length <= maxBytes) return;
      engine.destroy();
      reject(tooLarge(maxBytes));
    });
    engine.on("error", ({ message }) => {
      freeAll(pieces);
      reject(damaged(message));
    });
    engine.on("end", () => {
      const whole = join(pieces, length);
      if (engine.bytesWritten === bytes.length) resolve(whole);
      else reject(damaged("it is followed by something else"));
    });
    // Called when the thread no longer writes to the memory of the pieces, whatever becomes of these.
    engine.write(bytes, () => {
      if (engine.destroyed) freeAll(pieces);
    });
    engine.end();
  });
}

/** In memory as large as the result; that of the pieces is freed. */
function join(pieces: readonly Buffer[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  freeAll(pieces);
  return whole;
}

/** Pieces are views of buffers that were made for this result. One may have several; once freed, it has no bytes. */
function freeAll(pieces: readonly Buffer[]): void {
  for (const { buffer } of pieces) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= minPieceBytes) buffer.transfer(0);
  }
}

function tooLarge(maxBytes: number): ConnectError {
  return new ConnectError(`decompressed message exceeds the limit of ${maxBytes} bytes`, Code.ResourceExhausted);
}

function damaged(reason: string): ConnectError {
  return new ConnectError(`message is not valid br: ${reason}`, Code.Internal);
}
