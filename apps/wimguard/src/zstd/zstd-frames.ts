import { Buffer } from "node:buffer";
import { pipeline } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { fail } from "../failure/failure.ts";
import { maxSkippableBytes, skippableMagic } from "./last-skippable.ts";
import { decompressWhole, readWholeFrame } from "./whole-frame.ts";

/** Bytes of one frame; `isLast` with the last of it. */
export interface FramePiece {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

const frameMagic = 0xfd2fb528;

/**
 * Finds where zstd frames end (RFC 8878 section 3.1.1): Node's decompressor stops at the end of the first. Frames are looked through by the
 * sizes of their blocks, not decompressed.
 */
export class ZstdFrameSplitter {
  /** The beginning of a header that is not complete yet. */
  #head: Buffer = Buffer.alloc(0);
  #state: "frame" | "block" = "frame";
  /** Bytes to pass on before the next header. */
  #left = 0;
  #hasChecksum = false;
  #isInside = false;

  /**
   * Returns the chunk in as few pieces as frames allow: each piece costs the decompressor a trip to another thread. The first piece of a frame has
   * all of its head.
   *
   * @throws FailureError ARCHIVE_DAMAGED where a frame has to begin and does not
   */
  push(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    let start = 0;
    let at = 0;
    while (at < bytes.length) {
      const step = this.#left > 0 ? this.#pass(bytes.length - at) : this.#parseHead(bytes.subarray(at));
      if (step === undefined) break;
      at += step;
      this.#isInside = this.#left > 0 || this.#state === "block";
      if (this.#isInside) continue;
      pieces.push({ bytes: bytes.subarray(start, at), isLast: true });
      start = at;
    }
    if (at > start) pieces.push({ bytes: bytes.subarray(start, at), isLast: false });
    this.#head = Buffer.from(bytes.subarray(at));
    return pieces;
  }

  /** @throws FailureError ARCHIVE_DAMAGED when the last frame is cut off */
  end(): void {
    if (this.#isInside || this.#head.length > 0) damaged("its last zstd frame is cut off");
  }

  #pass(most: number): number {
    const passed = Math.min(this.#left, most);
    this.#left -= passed;
    return passed;
  }

  /** The length of the header that begins here; undefined while not all of it is there. */
  #parseHead(head: Buffer): number | undefined {
    if (this.#state === "block") return this.#parseBlock(head);
    if (head.length < 8) return head.length >= 4 && !isMagic(head.readUInt32LE(0)) ? damagedMagic() : undefined;
    const magic = head.readUInt32LE(0);
    if (!isMagic(magic)) damagedMagic();
    if (magic !== frameMagic) {
      this.#left = head.readUInt32LE(4);
      return 8;
    }
    const descriptor = head[4] as number;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
    const length = 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes;
    if (head.length < length) return undefined;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#state = "block";
    return length;
  }

  #parseBlock(head: Buffer): number | undefined {
    if (head.length < 3) return undefined;
    const header = head.readUIntLE(0, 3);
    const type = (header >> 1) & 3;
    if (type === 3) damaged("a zstd block has a reserved type");
    this.#left = type === 1 ? 1 : header >> 3;
    if ((header & 1) !== 0) {
      this.#left += this.#hasChecksum ? 4 : 0;
      this.#state = "frame";
    }
    return 3;
  }
}

function isMagic(magic: number): boolean {
  return magic === frameMagic || (magic & 0xfffffff0) >>> 0 === skippableMagic;
}

function damagedMagic(): never {
  damaged("no zstd frame begins where one has to");
}

function damaged(problem: string): never {
  fail({ reason: "ARCHIVE_DAMAGED", engine: "tar", message: `the archive is damaged: ${problem}` });
}

/** What a file of frames holds, in order. */
export type FramePart =
  | { readonly kind: "data"; readonly bytes: Buffer }
  /** A frame with data has ended, before this byte of the file. */
  | { readonly kind: "end"; readonly fileOffset: number }
  /** A frame that decompressors pass over (RFC 8878 section 3.1.2), with what it holds. */
  | { readonly kind: "skippable"; readonly content: Buffer };

const skippableHeadBytes = 8;
/** A frame that is decompressed at once is passed on in parts of this size. */
const passedBytes = 1024 * 1024;
/** What is decompressed at once of a larger frame: with Node's 16 KiB, the trips to another thread would take longer than the decompression. */
const decompressedBytes = 256 * 1024;

/** Formats a frame that decompressors pass over. */
export function formatSkippable(content: Buffer): Buffer {
  const head = Buffer.alloc(skippableHeadBytes);
  head.writeUInt32LE(skippableMagic, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

/** Decompresses a file of any number of frames. The memory it takes does not depend on their size. */
export async function* decompressFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const part of readFrames(chunks)) if (part.kind === "data") yield part.bytes;
}

/** Decompresses a file of frames, and says where each ends. */
export async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<FramePart> {
  const frames = openFrames(chunks);
  /** A frame that another thread decompresses while the one before it is taken. */
  let ahead: DecompressedFrame | undefined;
  for (;;) {
    const next = await nextOf(frames);
    if ("data" in next) {
      if (ahead !== undefined) yield* partsOf(ahead);
      ahead = next;
      continue;
    }
    if (ahead !== undefined) yield* partsOf(ahead);
    ahead = undefined;
    if ("problem" in next) throw next.problem;
    if (next.kind === "end") return;
    if (next.kind === "skippable") yield { kind: "skippable", content: await contentOf(next.pieces) };
    else yield* decompressPieces(next.pieces, next.endOffset);
  }
}

/** A frame whose decompression has begun. */
interface DecompressedFrame {
  readonly data: Promise<Buffer>;
  readonly fileOffset: number;
}

/** A frame whose pieces are to be taken before the next one is asked for. */
interface OpenFrame {
  readonly kind: "skippable" | "large";
  readonly pieces: AsyncGenerator<Buffer>;
  /** Where it ends in the file, once its pieces were taken. */
  readonly endOffset: () => number;
}

/** What fails comes after what was before it. */
async function nextOf(
  frames: AsyncGenerator<DecompressedFrame | OpenFrame>,
): Promise<DecompressedFrame | OpenFrame | { readonly kind: "end" } | { readonly problem: unknown }> {
  try {
    const next = await frames.next();
    return next.done === true ? { kind: "end" } : next.value;
  } catch (problem) {
    return { problem };
  }
}

async function* openFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<DecompressedFrame | OpenFrame> {
  const state = { fileOffset: 0 };
  const pieces = countPieces(splitFrames(chunks), state);
  const endOffset = (): number => state.fileOffset;
  for (let first = await pieces.next(); first.done !== true; first = await pieces.next()) {
    const frame = piecesOfFrame(first.value, pieces);
    const head = first.value.bytes;
    if (isSkippable(head)) {
      yield { kind: "skippable", pieces: frame, endOffset };
      continue;
    }
    const whole = readWholeFrame(head);
    const held: Buffer[] = [];
    const isHeld = whole !== undefined && (await hold(frame, held, whole.maxCompressedBytes));
    if (whole !== undefined && isHeld) {
      const data = decompressWhole(held.length === 1 ? head : Buffer.concat(held), whole);
      // Its failure is met when it is its turn.
      data.catch(() => {});
      yield { data, fileOffset: state.fileOffset };
    } else {
      yield { kind: "large", pieces: chain(held, frame), endOffset };
    }
  }
}

/** Takes the pieces of a frame; false when there are more than so many bytes, for which there may be no end. */
async function hold(frame: AsyncGenerator<Buffer>, held: Buffer[], maxBytes: number): Promise<boolean> {
  let bytes = 0;
  while (bytes <= maxBytes) {
    const next = await frame.next();
    if (next.done === true) return true;
    held.push(next.value);
    bytes += next.value.length;
  }
  return false;
}

async function* chain(held: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* held;
  yield* rest;
}

async function* partsOf({ data, fileOffset }: DecompressedFrame): AsyncGenerator<FramePart> {
  const bytes = await data.catch(failed);
  for (let at = 0; at < bytes.length; at += passedBytes) {
    yield { kind: "data", bytes: bytes.subarray(at, at + passedBytes) };
  }
  yield { kind: "end", fileOffset };
}

async function* decompressPieces(pieces: AsyncGenerator<Buffer>, endOffset: () => number): AsyncGenerator<FramePart> {
  const decompressor = createZstdDecompress({ chunkSize: decompressedBytes });
  let problem: unknown;
  pipeline(pieces, decompressor, (error) => {
    problem = error;
  });
  try {
    for await (const bytes of decompressor as AsyncIterable<Buffer>) yield { kind: "data", bytes };
  } catch (error) {
    failed(problem ?? error);
  }
  yield { kind: "end", fileOffset: endOffset() };
}

function failed(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code?.startsWith("ZSTD_") === true || code === "Z_BUF_ERROR" || code === "ERR_BUFFER_TOO_LARGE")
    damaged(`a zstd frame cannot be decompressed (${code})`);
  throw error;
}

async function* countPieces(
  pieces: AsyncGenerator<FramePiece>,
  state: { fileOffset: number },
): AsyncGenerator<FramePiece> {
  for await (const piece of pieces) {
    state.fileOffset += piece.bytes.length;
    yield piece;
  }
}

/** The first piece of a frame has all of its head. */
function isSkippable(head: Buffer): boolean {
  return head.readUInt32LE(0) !== frameMagic;
}

async function contentOf(frame: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of frame) {
    bytes += part.length;
    if (bytes <= maxSkippableBytes) parts.push(part);
  }
  return bytes <= maxSkippableBytes ? Buffer.concat(parts).subarray(skippableHeadBytes) : Buffer.alloc(0);
}

async function* splitFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<FramePiece> {
  const splitter = new ZstdFrameSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  splitter.end();
}

async function* piecesOfFrame(first: FramePiece, others: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  let piece = first;
  yield piece.bytes;
  while (!piece.isLast) {
    const next = await others.next();
    if (next.done === true) return;
    piece = next.value;
    yield piece.bytes;
  }
}
