import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, brotliDecompress, constants } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, DecompressingCall } from "@tercel/grpc/protocols";
import { WorkSlots } from "./work-slots.ts";

/** At this level JSON becomes a fifth smaller than with gzip for the same CPU time; the highest levels take a hundred times as long. */
const quality = 4;

/** The content codings of REST: Brotli, which all browsers support, then the server's own. Empty if the server has no compression. */
export function restCompressions(compressions: readonly Compression[]): readonly Compression[] {
  const hasBrotli = compressions.some((one) => one.name === brotliCompression.name);
  return compressions.length === 0 || hasBrotli ? compressions : [brotliCompression, ...compressions];
}

const deflate = promisify(brotliCompress) as (bytes: Uint8Array, options: BrotliOptions) => Promise<Buffer>;
const inflate = promisify(brotliDecompress) as unknown as (
  bytes: Uint8Array,
  options: BrotliOptions & { readonly info: true },
) => Promise<{ readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }>;

/** Shared by the whole process, as with gzip: enough slots to use every core, while unfinished results take at most that many times the message limit. */
const inflateSlots = new WorkSlots(2 * availableParallelism());

/** The coding "br" (RFC 7932). Always runs in the thread pool: even short texts take longer than with gzip. */
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
        // zlib does not accept a limit of 0.
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
