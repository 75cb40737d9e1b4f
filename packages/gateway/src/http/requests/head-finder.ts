import { maxHeadBytes } from "../http1-limits.ts";
import type { HeadProblem } from "./header-block.ts";
import { findPartialProblem, HeadReader, headTooLarge, type RequestHead } from "./request-head.ts";

const emptyLine = "\r\n\r\n";
const cr = 0x0d;

/** Finds the heads of a connection's requests in chunks. No byte is scanned twice. */
export class HeadFinder {
  readonly #reader = new HeadReader();
  /** The number of bytes from `start` that are known to have no complete head. */
  #scannedBytes = 0;
  /** The end of the last head that was found. */
  end = 0;

  /** Returns the head at `start`; undefined if it is not complete yet. */
  find(bytes: Buffer, start: number): RequestHead | HeadProblem | undefined {
    const scanned = start + this.#scannedBytes;
    const at = bytes.indexOf(emptyLine, Math.max(start, scanned - (emptyLine.length - 1)), "latin1");
    if (at !== -1 && at - start <= maxHeadBytes - emptyLine.length) {
      this.#scannedBytes = 0;
      this.end = at + emptyLine.length;
      return this.#reader.read(bytes.toString("latin1", start, this.end));
    }
    this.#scannedBytes = bytes.length - start;
    if (at !== -1 || bytes.length - start > maxHeadBytes) return headTooLarge;
    // Starts at the last CR, whose LF may only have arrived now.
    const unseen = scanned > start && bytes[scanned - 1] === cr ? scanned - 1 : scanned;
    return findPartialProblem(bytes.toString("latin1", unseen));
  }

  /** Must be called when the next head starts at another position. */
  restart(): void {
    this.#scannedBytes = 0;
  }
}
