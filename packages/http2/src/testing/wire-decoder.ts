import { Flag, FrameType } from "../frame/frame-type.ts";
import { HpackDecoder } from "../hpack/index.ts";
import type { WireFrame } from "./wire-frame.ts";
import { WireReferee } from "./wire-referee.ts";

const frameHeaderBytes = 9;

/** More than any side sends in a test, so that the decoder of the peer never is what limits a header list. */
const roomyHeaders = { maxListBytes: 16_777_216, maxFields: 100_000 };

/**
 * Turns the bytes that the side under test wrote into frames. It shares no code with the engine's own reader but HPACK,
 * which has suites of its own, and throws when what was written breaks the protocol.
 */
export class WireDecoder {
  readonly referee = new WireReferee();
  readonly hpack = new HpackDecoder(roomyHeaders);
  private readonly onFrame: (frame: WireFrame) => void;
  private rest: Buffer = Buffer.alloc(0);
  private block: { streamId: number; endStream: boolean; fragments: Buffer[] } | undefined;

  constructor(onFrame: (frame: WireFrame) => void) {
    this.onFrame = onFrame;
  }

  /** True while a frame or a header block is incomplete. */
  get isInsideFrame(): boolean {
    return this.rest.length > 0 || this.block !== undefined;
  }

  receive(chunk: Uint8Array): void {
    let bytes = this.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.rest, chunk]);
    while (bytes.length >= frameHeaderBytes) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < frameHeaderBytes + length) break;
      const streamId = bytes.readUInt32BE(5);
      if (streamId >= 2 ** 31) throw new Error("the reserved bit of a stream identifier was set");
      const payload = bytes.subarray(frameHeaderBytes, frameHeaderBytes + length);
      this.frame(bytes[3] as number, bytes[4] as number, streamId, payload);
      bytes = bytes.subarray(frameHeaderBytes + length);
    }
    this.rest = bytes;
  }

  private frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.referee.check(type, streamId, payload.length);
    if (this.block !== undefined && type !== FrameType.continuation) {
      throw new Error(`a frame of type ${type} was sent in the middle of a header block`);
    }
    switch (type) {
      case FrameType.data:
        onlyFlags(type, flags, Flag.endStream);
        if ((flags & Flag.endStream) !== 0) this.referee.ended(streamId);
        this.onFrame({ type: "DATA", streamId, endStream: (flags & Flag.endStream) !== 0, data: Buffer.from(payload) });
        break;
      case FrameType.headers:
        onlyFlags(type, flags, Flag.endStream | Flag.endHeaders);
        this.block = { streamId, endStream: (flags & Flag.endStream) !== 0, fragments: [] };
        this.fragment(flags, streamId, payload);
        break;
      case FrameType.continuation:
        onlyFlags(type, flags, Flag.endHeaders);
        this.fragment(flags, streamId, payload);
        break;
      case FrameType.rstStream:
        exactly(type, payload, 4);
        this.referee.reset(streamId);
        this.onFrame({ type: "RST_STREAM", streamId, code: payload.readUInt32BE(0) });
        break;
      case FrameType.settings:
        this.settings(flags, payload);
        break;
      case FrameType.ping:
        exactly(type, payload, 8);
        this.onFrame({ type: "PING", ack: (flags & Flag.ack) !== 0, payload: payload.toString("hex") });
        break;
      case FrameType.goaway: {
        const lastStreamId = payload.readUInt32BE(0);
        this.referee.goaway(lastStreamId);
        const debug = payload.toString("latin1", 8);
        this.onFrame({ type: "GOAWAY", lastStreamId, code: payload.readUInt32BE(4), debug });
        break;
      }
      case FrameType.windowUpdate: {
        exactly(type, payload, 4);
        const increment = payload.readUInt32BE(0);
        if (increment === 0 || increment >= 2 ** 31) throw new Error(`a window update of ${increment} was sent`);
        this.onFrame({ type: "WINDOW_UPDATE", streamId, increment });
        break;
      }
      case FrameType.priority:
        this.onFrame({ type: "PRIORITY", streamId });
        break;
      default:
        throw new Error(`a frame of type ${type} was sent, which no side of this engine sends`);
    }
  }

  private settings(flags: number, payload: Buffer): void {
    const ack = (flags & Flag.ack) !== 0;
    const entries: [number, number][] = [];
    for (let at = 0; at < payload.length; at += 6)
      entries.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]);
    if (ack) exactly(FrameType.settings, payload, 0);
    this.onFrame({ type: "SETTINGS", ack, entries });
  }

  private fragment(flags: number, streamId: number, payload: Buffer): void {
    const { block } = this;
    if (block === undefined || block.streamId !== streamId)
      throw new Error("CONTINUATION was sent without HEADERS before it");
    block.fragments.push(payload);
    if ((flags & Flag.endHeaders) === 0) return;
    this.block = undefined;
    const bytes = Buffer.concat(block.fragments);
    const { fields } = this.hpack.decode(bytes, 0, bytes.length);
    const { endStream } = block;
    if (endStream) this.referee.ended(streamId);
    const frame: WireFrame = { type: "HEADERS", streamId, endStream, fields };
    if (block.fragments.length > 1) frame.continuations = block.fragments.length - 1;
    this.onFrame(frame);
  }
}

function onlyFlags(type: number, flags: number, allowed: number): void {
  if ((flags & ~allowed) !== 0)
    throw new Error(`a frame of type ${type} was sent with the flags 0x${flags.toString(16)}`);
}

function exactly(type: number, payload: Buffer, bytes: number): void {
  if (payload.length !== bytes) throw new Error(`a frame of type ${type} was sent with ${payload.length} bytes`);
}
