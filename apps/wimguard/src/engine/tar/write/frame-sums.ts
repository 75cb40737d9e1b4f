import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { ManifestFrame } from "../../../manifest/manifest-entry.ts";

/** Checksums of frames of a file, to see whether a second reading finds the same bytes. */
export class FrameSums {
  /** CRC-32 of each frame, by where it begins in the file. */
  readonly sums = new Map<number, number>();
  readonly #frames: readonly ManifestFrame[];
  #current = 0;
  #fileOffset: number;

  /** @param frames that follow each other; the last one ends where the bytes do */
  constructor(frames: readonly ManifestFrame[]) {
    this.#frames = frames;
    this.#fileOffset = frames[0]?.fileOffset ?? 0;
  }

  /** Takes the next bytes, from the beginning of the first frame on. */
  add(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const frame = this.#frames[this.#current];
      if (frame === undefined) return;
      const end = this.#frames[this.#current + 1]?.fileOffset ?? Number.POSITIVE_INFINITY;
      const part = rest.subarray(0, end - this.#fileOffset);
      this.sums.set(frame.fileOffset, crc32(part, this.sums.get(frame.fileOffset)));
      this.#fileOffset += part.length;
      rest = rest.subarray(part.length);
      if (this.#fileOffset === end) this.#current++;
    }
  }
}
