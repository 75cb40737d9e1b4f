import { Buffer } from "node:buffer";
import { type ArchiveOrigin, formatOrigin } from "../../../archive/archive-origin.ts";
import type { ManifestFrame } from "../../../manifest/manifest-entry.ts";
import { compressFrame } from "../../../zstd/compress-frame.ts";
import { formatSkippable } from "../../../zstd/zstd-frames.ts";
import type { Compression } from "../../compression.ts";
import type { WriteOutputs } from "../../engine.ts";
import { blockBytes } from "../format/tar-header.ts";
import { type ArchivePosition, archiveStart } from "../verify-tar.ts";
import { type CutFrame, createFrameCutter, type FrameCutter } from "./frame-cutter.ts";

/** Frames that are compressed at once, one on each of two threads of the pool; more would only take memory. */
const framesAtOnce = 2;

interface WaitingFrame {
  readonly frame: CutFrame;
  readonly compressed: Promise<Buffer>;
}

/** Writes a tar stream as frames that are compressed side by side and written in order. */
export class ArchiveWriter {
  readonly #outputs: Pick<WriteOutputs, "part" | "addFrame">;
  readonly #compression: Compression;
  #cutter: FrameCutter | undefined;
  readonly #waiting: WaitingFrame[] = [];
  #offset = 0;
  #fileOffset = 0;
  #newFrom = archiveStart;

  constructor(outputs: Pick<WriteOutputs, "part" | "addFrame">, compression: Compression) {
    this.#outputs = outputs;
    this.#compression = compression;
  }

  /** Bytes of the uncompressed archive so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Where what was not copied begins. */
  get newFrom(): ArchivePosition {
    return this.#newFrom;
  }

  /** @param borders where members begin */
  async write(bytes: Buffer, borders: readonly number[]): Promise<void> {
    this.#cutter ??= createFrameCutter({ startOffset: this.#offset });
    this.#offset += bytes.length;
    for (const frame of this.#cutter.push(bytes, borders)) await this.#add(frame);
  }

  /**
   * Appends frames of another archive, of the same compression, as they are. Only before the first `write`.
   *
   * @param bytes those of the file, from the first frame's beginning to the last one's end
   */
  async copy(frames: readonly ManifestFrame[], bytes: AsyncIterable<Buffer>): Promise<void> {
    const [first] = frames;
    if (first === undefined) return;
    const shift = this.#offset - first.offset;
    const fileShift = this.#fileOffset - first.fileOffset;
    for await (const chunk of bytes) {
      await this.#outputs.part.write(chunk);
      this.#fileOffset += chunk.length;
    }
    for (const { offset, bytes: frameBytes, fileOffset } of frames) {
      await this.#outputs.addFrame({
        offset: offset + shift,
        bytes: frameBytes,
        fileOffset: fileOffset + fileShift,
      });
      this.#offset += frameBytes;
    }
    this.#newFrom = { offset: this.#offset, fileOffset: this.#fileOffset };
  }

  /** Writes the end marker, two blocks of zeros, what is left, and what the archive says of itself where that has a place. */
  async finish(origin: ArchiveOrigin): Promise<void> {
    await this.write(Buffer.alloc(2 * blockBytes), []);
    const last = this.#cutter?.end();
    if (last !== undefined) await this.#add(last);
    while (this.#waiting.length > 0) await this.#writeNext();
    // A plain tar file has no place that every program passes over.
    if (this.#compression.method !== "NONE") await this.#outputs.part.write(formatSkippable(formatOrigin(origin)));
  }

  /** Waits for the threads that still compress. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#waiting.map(({ compressed }) => compressed));
  }

  async #add(frame: CutFrame): Promise<void> {
    const compressed = this.#compress(frame.data);
    // Its failure is met when it is its turn.
    compressed.catch(() => {});
    this.#waiting.push({ frame, compressed });
    if (this.#waiting.length > framesAtOnce) await this.#writeNext();
  }

  async #writeNext(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const bytes = await next.compressed;
    await this.#outputs.part.write(bytes);
    const { offset, data } = next.frame;
    await this.#outputs.addFrame({ offset, bytes: data.length, fileOffset: this.#fileOffset });
    this.#cutter?.release(next.frame);
    this.#fileOffset += bytes.length;
  }

  async #compress(bytes: Buffer): Promise<Buffer> {
    const { method, level = 3 } = this.#compression;
    if (method === "NONE") return bytes;
    return compressFrame(bytes, level);
  }
}
