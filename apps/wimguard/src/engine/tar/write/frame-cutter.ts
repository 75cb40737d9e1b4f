import type { Buffer } from "node:buffer";

/** A piece of the archive that is compressed for itself. */
export interface CutFrame {
  /** Where it begins in the uncompressed archive. */
  readonly offset: number;
  readonly bytes: number;
  readonly parts: readonly Buffer[];
}

/** Cuts a tar stream into frames, so that one file can be read without what is before it. */
export interface FrameCutter {
  /**
   * Takes the next bytes of the stream.
   *
   * @param borders offsets in the archive where members begin, ascending, at most at the end of these bytes and not before those of the
   * last call
   */
  push(bytes: Buffer, borders: readonly number[]): CutFrame[];
  /** The last frame; undefined if there is nothing left. */
  end(): CutFrame | undefined;
}

export interface FrameCutterOptions {
  /** Default 8 MiB. */
  readonly minBytes?: number;
  /** Default 16 MiB. */
  readonly maxBytes?: number;
  /** Where the first byte is in the archive. Default 0. */
  readonly startOffset?: number;
}

/** A frame smaller than this compresses worse and makes the list of frames longer. */
export const minFrameBytes = 8 * 1024 * 1024;
/** Inside a large file, so that memory stays flat. */
export const maxFrameBytes = 16 * 1024 * 1024;

/** A frame ends at the first member that begins `minBytes` or more after its start, and inside a member at `maxBytes`. */
export function createFrameCutter({
  minBytes = minFrameBytes,
  maxBytes = maxFrameBytes,
  startOffset = 0,
}: FrameCutterOptions = {}): FrameCutter {
  let frameOffset = startOffset;
  const parts: Buffer[] = [];
  let bytes = 0;

  /** Takes the first `length` bytes of what has come. */
  function cut(length: number): CutFrame {
    const taken: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = parts.shift() as Buffer;
      taken.push(part.subarray(0, missing));
      if (part.length > missing) parts.unshift(part.subarray(missing));
      missing -= Math.min(missing, part.length);
    }
    const frame = { offset: frameOffset, bytes: length, parts: taken };
    frameOffset += length;
    bytes -= length;
    return frame;
  }

  return {
    push(chunk, borders) {
      const frames: CutFrame[] = [];
      if (chunk.length > 0) parts.push(chunk);
      bytes += chunk.length;
      for (const border of borders) {
        while (border - frameOffset > maxBytes) frames.push(cut(maxBytes));
        if (border - frameOffset >= minBytes) frames.push(cut(border - frameOffset));
      }
      while (bytes > maxBytes) frames.push(cut(maxBytes));
      return frames;
    },
    end: () => (bytes === 0 ? undefined : cut(bytes)),
  };
}
