import { maxHeadBytes } from "../http1-limits.ts";
import type { HeadProblem } from "./header-block.ts";
import { findPartialProblem, HeadReader, headTooLarge, type RequestHead } from "./request-head.ts";

const emptyLine = "\r\n\r\n";
const cr = 0x0d;

/** Finds the heads of a connection's requests in bytes that come in pieces. What was looked at once is not looked at again. */
export class HeadFinder {
  readonly #reader = new HeadReader();
  /** Bytes from `start` on that are known to hold no complete head. */
  #scannedBytes = 0;
  /** Where the head ends that was found last. */
  end = 0;

  /** The head that begins at `start`; undefined while it is not complete, and may become one. */
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
    // From the last line end on, of which a part may have come before.
    const unseen = scanned > start && bytes[scanned - 1] === cr ? scanned - 1 : scanned;
    return findPartialProblem(bytes.toString("latin1", unseen));
  }

  /** The next head begins elsewhere. */
  restart(): void {
    this.#scannedBytes = 0;
  }
}
