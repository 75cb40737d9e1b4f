import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, constants } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, DecompressingCall } from "@tercel/grpc/protocols";
import { inflateBrotli } from "./inflate-brotli.ts";
import { WorkSlots } from "./work-slots.ts";

/** At this level JSON becomes a fifth smaller than with gzip for the same CPU time; the highest levels take a hundred times as long. */
const quality = 4;

/** The content codings of REST: Brotli, which all browsers support, then the server's own. Empty if the server has no compression. */
export function restCompressions(compressions: readonly Compression[]): readonly Compression[] {
  const hasBrotli = compressions.some((one) => one.name === brotliCompression.name);
  return compressions.length === 0 || hasBrotli ? compressions : [brotliCompression, ...compressions];
}

const deflate = promisify(brotliCompress) as (bytes: Uint8Array, options: BrotliOptions) => Promise<Buffer>;

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
    return await inflateSlots.run(() => {
      if (call?.isCutOff === true) throw new ConnectError("the call was cut off", Code.Canceled);
      return inflateBrotli(bytes, maxBytes);
    });
  },
};
