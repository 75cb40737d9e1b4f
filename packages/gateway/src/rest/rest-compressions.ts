import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, constants } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, DecompressingCall } from "@tercel/grpc/protocols";
import { inflateBrotli } from "./inflate-brotli.ts";
import { WorkSlots } from "./work-slots.ts";

/** JSON shrinks by a fifth more than with gzip for the same work; the highest levels take a hundred times as long. */
const quality = 4;

/** The codings of REST: the server's, and before them Brotli, which all browsers read. A server without compression stays without. */
export function restCompressions(compressions: readonly Compression[]): readonly Compression[] {
  const hasBrotli = compressions.some((one) => one.name === brotliCompression.name);
  return compressions.length === 0 || hasBrotli ? compressions : [brotliCompression, ...compressions];
}

const deflate = promisify(brotliCompress) as (bytes: Uint8Array, options: BrotliOptions) => Promise<Buffer>;

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
    return await inflateSlots.run(() => {
      if (call?.isCutOff === true) throw new ConnectError("the call was cut off", Code.Canceled);
      return inflateBrotli(bytes, maxBytes);
    });
  },
};
