import type { OutputArena } from "../bytes/output-arena.ts";
import { writeDataHeader } from "../frame/data.ts";
import { frameHeaderBytes } from "../frame/frame-header.ts";
import type { SendHalf } from "../stream/send-half.ts";
import { JoinedData } from "./joined-data.ts";

/** A payload from here on that is not to be copied travels as a buffer of its own, which is another entry in the write. */
export const ownBufferBytes = 8192;

/** A frame is cut to fill the rest of a slab, unless that is less than this. */
const minCutBytes = 4096;

const noBytes = new Uint8Array(0);

/** The writer of a connection's frames, as far as DATA needs it. */
export interface DataFramesOwner {
  readonly maxFrameBytes: number;
  /** Frames were collected, and have to leave by the end of the turn. */
  schedule(): void;
  /** Hands on what was collected where it is so much that waiting is of no use. */
  writeEarly(): void;
}

/** Writes the DATA frames of a connection: small data in place, other data as a copy or as the buffer it came in. */
export class DataFrames {
  /** DATA frames and their bytes so far: what window updates are measured by. */
  frames = 0;
  bytes = 0;
  /** The memory that `reserve` gave an offset into. */
  reserved: Uint8Array = noBytes;
  private readonly arena: OutputArena;
  private readonly owner: DataFramesOwner;
  /** Small data of this turn, as long as there is some. */
  private joined: JoinedData | undefined = undefined;
  /** Never 0, which is that of streams that have sent nothing. */
  private turn = 1;

  constructor(arena: OutputArena, owner: DataFramesOwner) {
    this.arena = arena;
    this.owner = owner;
  }

  /** Bytes that are not in the arena yet. */
  get joinedBytes(): number {
    return this.joined === undefined ? 0 : this.joined.totalBytes;
  }

  /** Room for `bytes` of data of the stream, in `reserved`, which `commit` makes a frame or a part of one. */
  reserve(send: SendHalf, streamId: number, bytes: number): number {
    if (send.lastTurn === this.turn && JoinedData.fits(bytes)) {
      const offset = this.reserveJoined(send, streamId, bytes);
      if (offset !== -1) return offset;
    }
    this.sendJoined(streamId);
    send.lastTurn = this.turn;
    const offset = this.arena.reserve(frameHeaderBytes + bytes) + frameHeaderBytes;
    this.reserved = this.arena.bytes;
    return offset;
  }

  /** The room at `offset` holds `bytes` of data now. */
  commit(streamId: number, offset: number, bytes: number, endStream: boolean): void {
    if (this.reserved === this.joined?.bytes) {
      this.joined.commit(bytes);
      if (endStream) this.sendJoined(streamId, true);
      return;
    }
    this.inPlace(streamId, offset - frameHeaderBytes, bytes, endStream);
    this.owner.writeEarly();
  }

  /** One frame. The payload is not to be changed any more. */
  send(streamId: number, payload: Uint8Array | undefined, endStream: boolean): void {
    const { arena } = this;
    this.sendJoined(streamId);
    const bytes = payload === undefined ? 0 : payload.length;
    const isCopied = bytes < ownBufferBytes;
    const offset = arena.reserve(frameHeaderBytes + (isCopied ? bytes : 0));
    if (payload !== undefined && isCopied) arena.bytes.set(payload, offset + frameHeaderBytes);
    this.inPlace(streamId, offset, bytes, endStream, isCopied ? bytes : 0);
    if (payload !== undefined && !isCopied) arena.append(payload);
  }

  /** `prefix` and `body`, one after the other and copied, in as many frames as they need. */
  copy(streamId: number, prefix: Uint8Array, body: Uint8Array, endStream: boolean): void {
    const { arena } = this;
    this.sendJoined(streamId);
    let head = prefix;
    let at = 0;
    do {
      const left = head.length + body.length - at;
      let bytes = Math.min(left, this.owner.maxFrameBytes);
      const room = arena.room - frameHeaderBytes;
      if (bytes > room && room >= minCutBytes) bytes = room;
      const offset = arena.reserve(frameHeaderBytes + bytes);
      const start = offset + frameHeaderBytes;
      const end = at + bytes - head.length;
      if (head.length > 0) arena.bytes.set(head, start);
      arena.bytes.set(body.subarray(at, end), start + head.length);
      this.inPlace(streamId, offset, bytes, endStream && bytes === left);
      this.owner.writeEarly();
      at = end;
      head = noBytes;
    } while (at < body.length);
  }

  /** What the stream has joined leaves before anything else of the stream. False: it has nothing. */
  sendJoined(streamId: number, endStream = false): boolean {
    const payload = this.joined?.take(streamId);
    if (payload === undefined) return false;
    const { arena } = this;
    const offset = arena.reserve(frameHeaderBytes + payload.length);
    arena.bytes.set(payload, offset + frameHeaderBytes);
    this.inPlace(streamId, offset, payload.length, endStream);
    return true;
  }

  /** What was collected leaves now. */
  endTurn(): void {
    this.turn++;
    this.joined?.end((streamId) => this.sendJoined(streamId));
    this.joined = undefined;
    // A slab that the pool does not take must not be held by a connection that is idle.
    this.reserved = noBytes;
  }

  private reserveJoined(send: SendHalf, streamId: number, bytes: number): number {
    this.joined ??= new JoinedData();
    let offset = this.joined.reserve(send, streamId, bytes);
    if (offset === -1 && this.sendJoined(streamId)) offset = this.joined.reserve(send, streamId, bytes);
    if (offset !== -1) this.reserved = this.joined.bytes;
    return offset;
  }

  /** A frame with room for its header at `offset`, after which `written` of its `bytes` are in place; the rest follows as a buffer. */
  private inPlace(streamId: number, offset: number, bytes: number, endStream: boolean, written = bytes): void {
    const { arena } = this;
    arena.length = writeDataHeader(arena.bytes, offset, streamId, bytes, endStream) + written;
    this.frames++;
    this.bytes += bytes;
    this.owner.schedule();
  }
}
