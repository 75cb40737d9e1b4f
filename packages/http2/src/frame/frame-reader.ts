import { frameSlabs } from "../bytes/slab-pool.ts";
import { ErrorCode } from "../errors/error-code.ts";
import { limitError } from "../errors/http2-error.ts";
import { frameHeaderBytes, readUint31 } from "./frame-header.ts";
import { Flag, FrameType } from "./frame-type.ts";
import { TurnWork, workOfFrame } from "./turn-work.ts";

/** A cut-off frame below this gets a buffer of its own size: many peers that never send the rest must not cost a slab each. */
const minSlabPayloadBytes = 1024;

/** A DATA frame from here on is handed on piece by piece as its chunks come: copying it would cost more than another call. */
const minDividedPayloadBytes = 4096;
/** 32 bytes of a header block are as much work as a frame: they may be four fields, and a request of many is not a single step. */
const headerBytesShift = 5;

/** A frame's header (RFC 9113 §4.1) without its length. */
export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /**
   * A piece of a DATA frame without padding, before its last, which alone has the frame's flags. As DATA may be cut anywhere, it is as good as a
   * frame.
   */
  readonly isPiece: boolean;
}

/** Receives each frame; `bytes[start, end)` is its payload. Both it and the head may be used only until the call returns. */
export interface FrameSink {
  onFrame(head: FrameHead, bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Cuts the bytes that a socket delivers into frames. Frames are read in place. One that the end of a chunk cut off is
 * copied into a buffer until its rest has arrived; larger DATA frames are passed on in pieces instead.
 */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly maxFrameBytes: number;
  readonly work: TurnWork;
  private partial: Uint8Array | undefined;
  private partialSize = 0;
  private partialBytes = 0;
  /** What is still to come of a DATA frame that is handed on in pieces. */
  private dividedLeft = 0;
  /** The head of a frame that was cut off; undefined before the first. */
  private header: Uint8Array | undefined = undefined;
  private headerBytes = 0;
  private stopped = false;
  /** Of the frame that is handed on: one for all, because there is one for each small message. */
  private readonly head = { type: 0, flags: 0, streamId: 0, isPiece: false };
  /** How many frames have been read in all. */
  framesRead = 0;

  constructor(sink: FrameSink, maxFrameBytes: number, work: TurnWork = new TurnWork()) {
    this.sink = sink;
    this.maxFrameBytes = maxFrameBytes;
    this.work = work;
  }

  /** True while the rest of a frame is awaited. */
  get isInsideFrame(): boolean {
    return this.headerBytes > 0;
  }

  /** Nothing is read any more, from within a frame's handling too. */
  stop(): void {
    this.stopped = true;
    this.partial = undefined;
  }

  /**
   * Reads frames of `bytes[start, …)` until the turn's work comes to `maxWork`, and returns where it stopped: the end of `bytes`, unless
   * there was more work than that. A connection that fills its chunks with tiny frames or messages must share the event loop with others.
   * A long header block counts for several frames.
   */
  read(bytes: Uint8Array, start: number, maxWork: number): number {
    const length = bytes.length;
    if (this.stopped) return length;
    const { work } = this;
    let at = start;
    if (this.headerBytes > 0) {
      at = this.readPartial(this.header as Uint8Array, bytes, at);
      work.done += workOfFrame;
    }
    while (length - at >= frameHeaderBytes && !this.stopped) {
      if (work.done >= maxWork) return at;
      const payloadBytes = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
      const end = at + frameHeaderBytes + payloadBytes;
      if (payloadBytes > this.maxFrameBytes) this.refuseSize(payloadBytes);
      if (end > length) break;
      const payload = at + frameHeaderBytes;
      const { head } = this;
      const type = bytes[at + 3] as number;
      head.type = type;
      head.flags = bytes[at + 4] as number;
      head.streamId = readUint31(bytes, at + 5);
      work.done += type === FrameType.headers ? workOfFrame * (1 + (payloadBytes >>> headerBytesShift)) : workOfFrame;
      at = end;
      this.framesRead++;
      this.sink.onFrame(head, bytes, payload, end);
    }
    if (at < length && !this.stopped) this.keep(bytes, at);
    return length;
  }

  private keep(bytes: Uint8Array, start: number): void {
    this.header ??= new Uint8Array(frameHeaderBytes);
    const at = this.readHeader(this.header, bytes, start);
    if (this.headerBytes < frameHeaderBytes) return;
    this.beginPartial(this.header);
    this.readPartial(this.header, bytes, at);
  }

  private readHeader(header: Uint8Array, bytes: Uint8Array, start: number): number {
    let at = start;
    while (this.headerBytes < frameHeaderBytes && at < bytes.length) header[this.headerBytes++] = bytes[at++] as number;
    return at;
  }

  private beginPartial(header: Uint8Array): void {
    const payloadBytes = ((header[0] as number) << 16) | ((header[1] as number) << 8) | (header[2] as number);
    if (payloadBytes > this.maxFrameBytes) this.refuseSize(payloadBytes);
    const isPadded = ((header[4] as number) & Flag.padded) !== 0;
    if (header[3] === FrameType.data && !isPadded && payloadBytes >= minDividedPayloadBytes) {
      this.dividedLeft = payloadBytes;
      return;
    }
    const isSlab = payloadBytes >= minSlabPayloadBytes && payloadBytes <= frameSlabs.slabBytes;
    this.partial = isSlab ? frameSlabs.take() : new Uint8Array(payloadBytes);
    this.partialSize = payloadBytes;
    this.partialBytes = 0;
  }

  private readPartial(header: Uint8Array, bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.partial === undefined && this.dividedLeft === 0) {
      at = this.readHeader(header, bytes, at);
      if (this.headerBytes < frameHeaderBytes) return at;
      this.beginPartial(header);
    }
    if (this.dividedLeft > 0) return this.readDivided(header, bytes, at);
    const partial = this.partial as unknown as Uint8Array;
    const size = this.partialSize;
    const take = Math.min(size - this.partialBytes, bytes.length - at);
    partial.set(bytes.subarray(at, at + take), this.partialBytes);
    this.partialBytes += take;
    at += take;
    if (this.partialBytes < size) return at;
    this.partial = undefined;
    this.headerBytes = 0;
    this.framesRead++;
    this.sink.onFrame(this.headOf(header), partial, 0, size);
    // No one may use the payload beyond the call. A frame's handling that throws ends the connection, and the slab is lost.
    frameSlabs.give(partial);
    return at;
  }

  private readDivided(header: Uint8Array, bytes: Uint8Array, start: number): number {
    const end = Math.min(start + this.dividedLeft, bytes.length);
    this.dividedLeft -= end - start;
    const head = this.headOf(header);
    if (this.dividedLeft > 0) {
      if (end === start) return end;
      head.flags = 0;
      head.isPiece = true;
      this.sink.onFrame(head, bytes, start, end);
      head.isPiece = false;
      return end;
    }
    this.headerBytes = 0;
    this.framesRead++;
    this.sink.onFrame(head, bytes, start, end);
    return end;
  }

  private headOf(header: Uint8Array) {
    const { head } = this;
    head.type = header[3] as number;
    head.flags = header[4] as number;
    head.streamId = readUint31(header, 5);
    return head;
  }

  private refuseSize(payloadBytes: number): never {
    throw limitError(
      "frame_size",
      ErrorCode.frameSizeError,
      `a frame of ${payloadBytes} bytes is over the limit of ${this.maxFrameBytes}`,
    );
  }
}
