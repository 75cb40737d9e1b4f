/** How far a job is, in bytes of the source. */
export interface ByteCount {
  readonly bytesDone: number;
  /** 0 until it is known. */
  readonly bytesTotal: number;
}

/**
 * Keeps the rules of progress: the bytes done never fall and never exceed the total, and nothing is done before the total is known. A source
 * that grows while it is read does not lift the total; `finish` sets both to what was read in the end.
 */
export class ProgressCounter {
  #done = 0;
  #total = 0;

  get count(): ByteCount {
    return { bytesDone: Math.min(this.#done, this.#total), bytesTotal: this.#total };
  }

  setTotal(bytes: number): void {
    this.#total = Math.max(bytes, 0);
  }

  add(bytes: number): void {
    this.#done += Math.max(bytes, 0);
  }

  /** For engines that say how far they are; what is less than before changes nothing. */
  reach(bytes: number): void {
    this.#done = Math.max(this.#done, bytes);
  }

  /** @returns the final number, which is at least what `count` has said before */
  finish(bytes: number): number {
    this.#total = Math.max(bytes, this.count.bytesDone);
    this.#done = this.#total;
    return this.#total;
  }
}
