import { ChunkedReader } from "./chunked-reader.ts";
import type { HeaderBlock } from "./header-block.ts";

/** The body of a request on its way in: where it ends (RFC 9112 §6.3), however its bytes come. */
export class RequestBody {
  #missingBytes: number;
  readonly #chunks: ChunkedReader | undefined;

  constructor({ contentLength, isChunked }: HeaderBlock) {
    this.#missingBytes = contentLength;
    this.#chunks = isChunked ? new ChunkedReader() : undefined;
  }

  get isComplete(): boolean {
    return this.#chunks === undefined ? this.#missingBytes === 0 : this.#chunks.isComplete;
  }

  /**
   * Reads on from `start`, hands over the data, and may write over the bytes that it has read. Returns where it stopped, which is where the body ends
   * once it is complete; -1 for bytes that are not such a body.
   */
  push(bytes: Buffer, start: number, onData: (data: Uint8Array) => void): number {
    if (this.#chunks !== undefined) return this.#chunks.push(bytes, start, onData);
    const end = Math.min(bytes.length, start + this.#missingBytes);
    this.#missingBytes -= end - start;
    onData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    return end;
  }
}
