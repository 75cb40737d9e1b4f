import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, brotliDecompress, constants } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, DecompressingCall } from "@tercel/grpc/protocols";
import { WorkSlots } from "./work-slots.ts";

/** JSON shrinks by a fifth more than with gzip for the same work; the highest levels take a hundred times as long. */
const quality = 4;

/** The codings of REST: the server's, and before them Brotli, which all browsers read. A server without compression stays without. */
export function restCompressions(compressions: readonly Compression[]): readonly Compression[] {
  const hasBrotli = compressions.some((one) => one.name === brotliCompression.name);
  return compressions.length === 0 || hasBrotli ? compressions : [brotliCompression, ...compressions];
}

const deflate = promisify(brotliCompress) as (bytes: Uint8Array, options: BrotliOptions) => Promise<Buffer>;
const inflate = promisify(brotliDecompress) as unknown as (
  bytes: Uint8Array,
  options: BrotliOptions & { readonly info: true },
) => Promise<{ readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }>;

/** Of the process, as gzip has them: enough to keep every core busy, while results in the making take so many times the message limit. */
const inflateSlots = new WorkSlots(2 * availableParallelism());

/** The coding "br" (RFC 7932). In the thread pool always: even short texts take longer than with gzip. */
export const brotliCompression: Compression = {
  name: "br",
  compress(bytes) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    return deflate(bytes, { params });
  },
  async decompress(bytes: Uint8Array, maxBytes: number, call?: DecompressingCall) {
    await call?.takeRoom(maxBytes);
    try {
      const { buffer, engine } = await inflateSlots.run(async () => {
        if (call?.isCutOff === true) throw new ConnectError("the call was cut off", Code.Canceled);
        // zlib refuses a limit of 0.
        return await inflate(bytes, { info: true, maxOutputLength: Math.max(1, maxBytes) });
      });
      if (engine.bytesWritten !== bytes.length) throw damaged("it is followed by something else");
      if (buffer.length > maxBytes) throw tooLarge(maxBytes);
      return buffer;
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      const { code, message } = error as Error & { readonly code?: string };
      throw code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(maxBytes) : damaged(message);
    }
  },
};

function tooLarge(maxBytes: number): ConnectError {
  return new ConnectError(`decompressed message exceeds the limit of ${maxBytes} bytes`, Code.ResourceExhausted);
}

function damaged(reason: string): ConnectError {
  return new ConnectError(`message is not valid br: ${reason}`, Code.Internal);
}
