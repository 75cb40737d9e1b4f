import { Buffer } from "node:buffer";

/** A piece of the archive that is compressed for itself. */
export interface CutFrame {
  /** Where it begins in the uncompressed archive. */
  readonly offset: number;
  readonly data: Buffer;
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
  /** Takes back a frame that is not needed any more: its memory is filled again. */
  release(frame: CutFrame): void;
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
  /** Memory for a whole frame: bytes are copied once, where they come, and the chunks that they came in do not pile up. */
  let buffer: Buffer | undefined;
  let filled = 0;
  const free: Buffer[] = [];

  function cut(length: number): CutFrame {
    const whole = buffer as Buffer;
    const frame = { offset: frameOffset, data: whole.subarray(0, length) };
    // The headers of a member are known to be its beginning when the last of them has come.
    const rest = whole.subarray(length, filled);
    buffer = undefined;
    filled = 0;
    frameOffset += length;
    if (rest.length > 0) append(rest);
    return frame;
  }

  function append(bytes: Buffer): void {
    buffer ??= free.pop() ?? Buffer.allocUnsafeSlow(maxBytes);
    buffer.set(bytes, filled);
    filled += bytes.length;
  }

  /** Takes bytes, and cuts where the frame would become too large. */
  function fill(bytes: Buffer, frames: CutFrame[]): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (filled === maxBytes) frames.push(cut(maxBytes));
      const room = maxBytes - filled;
      append(rest.subarray(0, room));
      rest = rest.subarray(room);
    }
  }

  return {
    push(chunk, borders) {
      const frames: CutFrame[] = [];
      const chunkOffset = frameOffset + filled;
      let taken = 0;
      for (const border of borders) {
        const end = Math.max(taken, border - chunkOffset);
        fill(chunk.subarray(taken, end), frames);
        taken = end;
        if (border - frameOffset >= minBytes) frames.push(cut(border - frameOffset));
      }
      fill(chunk.subarray(taken), frames);
      return frames;
    },
    end: () => (filled === 0 ? undefined : cut(filled)),
    release: ({ data }) => void free.push(Buffer.from(data.buffer)),
  };
}
