/** Thrown when a message would take more memory than its budget allows. */
export const overBudget: unique symbol = Symbol("message takes too much memory");

/** Enough for lists of 100,000 small messages. */
export const defaultMaxDecodedMessageBytes = 16 * 1024 * 1024;

/**
 * The same for requests. Clients choose these, and how many there are at once: 200 on a connection, as small as they like, take no more
 * memory than 200 messages of the usual limit, 4 MiB, that hold nothing but text.
 */
export const defaultMaxDecodedRequestBytes = 4 * 1024 * 1024;

/** What a message may take beyond that for each byte of it. Most take 3 to 8, numbers and short text up to 11. */
export const memoryPerByte = 16;

/**
 * The memory that a message takes while it is decoded, estimated by `memoryCosts`: at no point more than `maxBytes`, or 16 times
 * what has been read so far where that is more.
 */
export class MemoryBudget {
  /** Readers subtract from it, and call `extend` once it is negative. */
  left = 0;
  #maxBytes = 0;
  #granted = 0;
  #start = 0;

  /** @param start where the message begins */
  startBudget(maxBytes: number, start = 0): void {
    this.#start = start;
    this.left = maxBytes;
    this.#maxBytes = maxBytes;
    this.#granted = maxBytes;
  }

  /** @throws overBudget if what has been spent is too much for the bytes before `at` */
  extend(at: number): void {
    const spent = this.#granted - this.left;
    this.#granted = Math.max(this.#maxBytes, memoryPerByte * (at - this.#start));
    this.left = this.#granted - spent;
    if (this.left < 0) throw overBudget;
  }
}
