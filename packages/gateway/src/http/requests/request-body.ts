import { ChunkedReader } from "./chunked-reader.ts";
import type { HeaderBlock } from "./header-block.ts";

/** Reads the body of a request and finds its end (RFC 9112 §6.3), with any chunk boundaries of the socket. */
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
   * Continues at `start`, passes on the data, and may overwrite the bytes that it has read. Returns the position where it stopped, which is the end of
   * the body if that is complete; -1 for an invalid body.
   */
  push(bytes: Buffer, start: number, onData: (data: Uint8Array) => void): number {
    if (this.#chunks !== undefined) return this.#chunks.push(bytes, start, onData);
    const end = Math.min(bytes.length, start + this.#missingBytes);
    this.#missingBytes -= end - start;
    onData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    return end;
  }
}
