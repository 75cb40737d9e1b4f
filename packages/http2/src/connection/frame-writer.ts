import { GivenBuffers } from "../bytes/given-buffers.ts";
import { OutputArena } from "../bytes/output-arena.ts";
import { outputSlabs } from "../bytes/slab-pool.ts";
import { frameHeaderBytes, minMaxFrameBytes, writeFrameHeader } from "../frame/frame-header.ts";
import { Flag, FrameType } from "../frame/frame-type.ts";
import { goawayFrameBytes, writeGoaway } from "../frame/goaway.ts";
import { pingBytes, writePing, writePingAck } from "../frame/ping.ts";
import { rstStreamBytes, writeRstStream } from "../frame/rst-stream.ts";
import { settingsFrameBytes, writeSettings, writeSettingsAck } from "../frame/settings.ts";
import { windowUpdateBytes, writeWindowUpdate } from "../frame/window-update.ts";
import { HpackEncoder, initialTableBytes, PreparedHeaders } from "../hpack/index.ts";
import type { HeaderFields } from "../stream/header-fields.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { DataFrames, type DataFramesOwner } from "./data-frames.ts";
import type { ConnectionLimits } from "./limits.ts";

const noFields: readonly string[] = [];

/**
 * With so much collected, nothing is gained by waiting for more of the turn: the socket takes it while it is in the processor's cache, and
 * the slab is free for what comes next. A little less than a slab, so that messages of 4 KiB do not begin another.
 */
const flushedBytes = 61_440;

/** Up to this size, what is written while the socket cannot keep up is copied out of its slab. */
const maxCopiedBytes = 16_384;

/** The connection, which is notified about the progress of writes. */
export interface FrameWriterOwner {
  /** Data waits for the socket, so it matters when that is empty. */
  readonly hasWaitingData: boolean;
  /** The socket has sent everything it held, and output or a reader waits for that. */
  drained(): void;
  /** `bytes` of frames of any type wait in the socket: at least `pauseAtBacklogBytes`. */
  backlogGrew(bytes: number): void;
}

/**
 * Writes the frames of a connection: they are collected and leave in one write at the end of the turn of the event loop in which they were
 * made.
 */
export class FrameWriter implements DataFramesOwner {
  private readonly arena = new OutputArena();
  readonly data: DataFrames;
  maxFrameBytes = minMaxFrameBytes;
  /** Bytes that the socket holds back, as of the last flush. */
  backlogBytes = 0;
  /** Answers to PING and SETTINGS written since the socket was last empty. */
  queuedControlFrames = 0;
  /** Bytes handed to the socket since the connection began. */
  handedBytes = 0;
  headerBlocks = 0;
  private readonly socket: ByteChannel;
  private readonly owner: FrameWriterOwner;
  private readonly limits: ConnectionLimits;
  private readonly unindexedFields: readonly string[];
  /** Undefined before the first header block. */
  private encoder: HpackEncoder | undefined = undefined;
  /** Undefined before the first. */
  private given: GivenBuffers | undefined = undefined;
  private flushScheduled = false;
  /** Handed to the socket in this turn before its end: bounded, because a turn is not to be only for one connection. */
  private earlyBytes = 0;
  /** Slabs that the socket still reads from. */
  private inFlight: Uint8Array[] = [];
  /** The socket finishes writes later, as TLS always does, so each write has a callback. */
  private isDeferred = true;
  private closed = false;

  constructor(
    socket: ByteChannel,
    owner: FrameWriterOwner,
    limits: ConnectionLimits,
    unindexedFields: readonly string[] = noFields,
  ) {
    this.socket = socket;
    this.owner = owner;
    this.limits = limits;
    this.unindexedFields = unindexedFields;
    this.data = new DataFrames(this.arena, this);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setPeerMaxTableBytes(bytes: number): void {
    // What an encoder begins with needs none yet.
    if (this.encoder === undefined && bytes === initialTableBytes) return;
    this.encoder ??= this.makeEncoder();
    this.encoder.setPeerMaxTableBytes(bytes);
  }

  /** `bytes` is going to be sent, and no one looks at it afterwards: its memory is freed then. */
  freeWhenSent(bytes: Uint8Array): void {
    this.given ??= new GivenBuffers();
    this.given.give(bytes);
  }

  /** The socket is full; frames that control the connection are still collected. */
  get isBlocked(): boolean {
    const collectedBytes = this.arena.pendingBytes + this.data.joinedBytes;
    return this.backlogBytes + collectedBytes >= this.limits.output.connectionBufferBytes;
  }

  /** Bytes that the socket holds now. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  headers(streamId: number, fields: HeaderFields, extra: readonly string[], endStream: boolean): void {
    this.headerBlocks++;
    this.data.sendJoined(streamId);
    this.encoder ??= this.makeEncoder();
    const { encoder } = this;
    const prepared = fields instanceof PreparedHeaders;
    let most = prepared ? fields.maxEncodedBytes : encoder.maxEncodedBytes(fields);
    if (extra.length > 0) most += encoder.maxEncodedBytes(extra);
    if (most > this.maxFrameBytes) {
      const block = new Uint8Array(most);
      const length = encoder.encode([...(prepared ? fields.fields : fields), ...extra], block, 0);
      this.longHeaders(streamId, block.subarray(0, length), endStream);
    } else {
      const { arena } = this;
      const offset = arena.reserve(frameHeaderBytes + most);
      const start = offset + frameHeaderBytes;
      let end = prepared
        ? encoder.encodePrepared(fields, arena.bytes, start)
        : encoder.encode(fields, arena.bytes, start);
      if (extra.length > 0) end = encoder.encode(extra, arena.bytes, end);
      const flags = endStream ? Flag.endHeaders | Flag.endStream : Flag.endHeaders;
      writeFrameHeader(arena.bytes, offset, end - start, FrameType.headers, flags, streamId);
      arena.length = end;
    }
    this.schedule();
  }

  /** The last piece of `bytes` has been written. */
  lastCollected(bytes: Uint8Array): void {
    this.given?.lastCollected(bytes);
  }

  settings(entries: readonly (readonly [number, number])[]): void {
    const offset = this.arena.reserve(settingsFrameBytes(entries));
    this.arena.length = writeSettings(this.arena.bytes, offset, entries);
    this.schedule();
  }

  settingsAck(): void {
    const offset = this.arena.reserve(frameHeaderBytes);
    this.arena.length = writeSettingsAck(this.arena.bytes, offset);
    this.queuedControlFrames++;
    this.schedule();
  }

  ping(number: number): void {
    const offset = this.arena.reserve(frameHeaderBytes + pingBytes);
    this.arena.length = writePing(this.arena.bytes, offset, number);
    this.schedule();
  }

  pingAck(bytes: Uint8Array, start: number): void {
    const offset = this.arena.reserve(frameHeaderBytes + pingBytes);
    this.arena.length = writePingAck(this.arena.bytes, offset, bytes, start);
    this.queuedControlFrames++;
    this.schedule();
  }

  windowUpdate(streamId: number, increment: number): void {
    const offset = this.arena.reserve(frameHeaderBytes + windowUpdateBytes);
    this.arena.length = writeWindowUpdate(this.arena.bytes, offset, streamId, increment);
    this.schedule();
  }

  rstStream(streamId: number, code: number): void {
    this.data.sendJoined(streamId);
    const offset = this.arena.reserve(frameHeaderBytes + rstStreamBytes);
    this.arena.length = writeRstStream(this.arena.bytes, offset, streamId, code);
    this.schedule();
  }

  goaway(lastStreamId: number, code: number, debug: string): void {
    const offset = this.arena.reserve(goawayFrameBytes(debug));
    this.arena.length = writeGoaway(this.arena.bytes, offset, lastStreamId, code, debug);
    this.schedule();
  }

  /** Bytes as they are: the client's preface. */
  raw(bytes: Uint8Array): void {
    const offset = this.arena.reserve(bytes.length);
    this.arena.bytes.set(bytes, offset);
    this.arena.length = offset + bytes.length;
    this.schedule();
  }

  flush(): void {
    this.earlyBytes = 0;
    if (!this.closed) this.write();
    this.flushScheduled = false;
    if (this.closed) return;
    if (this.backlogBytes >= this.limits.output.pauseAtBacklogBytes) this.owner.backlogGrew(this.backlogBytes);
  }

  /** Hands the socket what was collected. Never calls the owner, because a stream may be in the middle of sending. */
  private write(): void {
    const { arena, socket } = this;
    this.data.endTurn();
    // Not every channel reports "drain" after a write that stayed below its mark, so a waiting writer needs the callback.
    const isAwaited =
      this.isDeferred ||
      this.queuedControlFrames > 0 ||
      this.owner.hasWaitingData ||
      this.isBlocked ||
      this.given?.isAwaited === true;
    const parts = arena.take();
    const last = parts.length - 1;
    if (last === -1) return;
    let final = parts[last] as Uint8Array;
    // A socket that cannot keep up holds on to what it is given: a slab for a few bytes would be memory that no count of bytes shows.
    const isCopied = this.backlogBytes > 0 && last === 0 && final.length <= maxCopiedBytes;
    if (isCopied) final = Buffer.from(final);
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) this.hand(parts[i] as Uint8Array, undefined);
    this.hand(final, isAwaited ? () => this.written() : undefined);
    if (last > 0) socket.uncork();
    this.backlogBytes = socket.writableLength;
    if (this.backlogBytes === 0) this.queuedControlFrames = 0;
    if (this.backlogBytes === 0 || isCopied) arena.recycle();
    else this.inFlight.push(...arena.detach());
    this.isDeferred = this.backlogBytes > 0;
    this.given?.handed(!this.isDeferred);
  }

  /** The socket has sent everything it held. */
  drained(): void {
    this.backlogBytes = 0;
    this.queuedControlFrames = 0;
  }

  /** Nothing is written from here on. */
  close(): void {
    this.closed = true;
    this.data.endTurn();
    this.arena.take();
    this.arena.detach();
    this.inFlight = [];
    this.given?.forget();
  }

  private makeEncoder(): HpackEncoder {
    return new HpackEncoder(this.limits.headers.tableBytes, this.unindexedFields);
  }

  /** A block that does not fit one frame continues in CONTINUATION frames (RFC 9113 §6.10). */
  private longHeaders(streamId: number, block: Uint8Array, endStream: boolean): void {
    const { length } = block;
    let at = 0;
    do {
      const take = Math.min(length - at, this.maxFrameBytes);
      const offset = this.arena.reserve(frameHeaderBytes + take);
      let flags = at + take === length ? Flag.endHeaders : 0;
      if (at === 0 && endStream) flags |= Flag.endStream;
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      writeFrameHeader(this.arena.bytes, offset, take, type, flags, streamId);
      this.arena.bytes.set(block.subarray(at, at + take), offset + frameHeaderBytes);
      this.arena.length = offset + frameHeaderBytes + take;
      at += take;
    } while (at < length);
  }

  /**
   * A tick of the event loop begins when no microtask is left. So every handler that could respond to what this turn has
   * read has responded by then, and all responses leave in one write; none waits for the next turn.
   */
  schedule(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    process.nextTick(flush, this);
  }

  /** For large data, which a turn may have much of. */
  writeEarly(): void {
    const { pendingBytes } = this.arena;
    if (pendingBytes < flushedBytes || this.isDeferred || this.closed) return;
    if (this.earlyBytes >= this.limits.output.connectionBufferBytes) return;
    this.earlyBytes += pendingBytes;
    this.write();
  }

  private hand(part: Uint8Array, written: (() => void) | undefined): void {
    this.handedBytes += part.length;
    this.socket.write(part, written);
  }

  private written(): void {
    if (this.closed || this.socket.writableLength > 0) return;
    for (const slab of this.inFlight) outputSlabs.give(slab);
    this.inFlight = [];
    this.given?.written();
    this.owner.drained();
  }
}

/** One for all connections: a function of its own for each would be memory that an idle one holds. */
function flush(writer: FrameWriter): void {
  writer.flush();
}
