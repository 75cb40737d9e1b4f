import type { Payload } from "@tercel/grpc/protocols";

const leastBytes = 1024;
const mostBytes = 16 * 1024;
/** A character takes three bytes at most; of longer texts it is counted, so that memory stays in proportion. */
const maxUncountedLength = 4096;

const none = Buffer.alloc(0);

/**
 * Writes texts one behind the other, so that many short ones are a few pieces: memory, and a view, for each would take as long as all else that is done
 * for a message. Pieces are handed on and not written to again.
 */
export class TextBlocks {
  readonly #handOn: (piece: Uint8Array) => void;
  #block: Buffer = none;
  #kept = 0;
  #nextBytes = leastBytes;

  constructor(handOn: (piece: Uint8Array) => void) {
    this.#handOn = handOn;
  }

  /** Puts a text's bytes into `payload`. They count once `keep` is called, or else the next text takes their place. */
  lend(text: string, payload: Payload): void {
    const bytes = text.length > maxUncountedLength ? Buffer.byteLength(text) : 3 * text.length;
    if (this.#kept + bytes > this.#block.length) this.#renew(bytes);
    const start = this.#kept;
    payload.borrow(this.#block, start, start + this.#block.write(text, start), false);
  }

  /** The bytes that were lent last are part of what is handed on. */
  keep({ end }: Payload): void {
    this.#kept = end;
  }

  /** Hands on what there is, and holds no memory after that. */
  flush(): void {
    this.#hand();
    this.#block = none;
    this.#nextBytes = leastBytes;
  }

  #renew(bytes: number): void {
    this.#hand();
    this.#block = Buffer.allocUnsafe(Math.max(bytes, this.#nextBytes));
    this.#nextBytes = Math.min(mostBytes, 2 * this.#nextBytes);
  }

  #hand(): void {
    if (this.#kept === 0) return;
    const piece = this.#block.subarray(0, this.#kept);
    this.#kept = 0;
    this.#block = none;
    this.#handOn(piece);
  }
}
