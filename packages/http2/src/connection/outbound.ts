import { GivenBuffers } from "../bytes/given-buffers.ts";
import { OutputArena } from "../bytes/output-arena.ts";
import { outputSlabs } from "../bytes/slab-pool.ts";
import { writeDataHeader } from "../frame/data.ts";
import { frameHeaderBytes, minMaxFrameBytes, writeFrameHeader } from "../frame/frame-header.ts";
import { Flag, FrameType } from "../frame/frame-type.ts";
import { goawayFrameBytes, writeGoaway } from "../frame/goaway.ts";
import { pingBytes, writePing, writePingAck } from "../frame/ping.ts";
import { rstStreamBytes, writeRstStream } from "../frame/rst-stream.ts";
import { settingsFrameBytes, writeSettings, writeSettingsAck } from "../frame/settings.ts";
import { windowUpdateBytes, writeWindowUpdate } from "../frame/window-update.ts";
import { HpackEncoder, initialTableBytes, PreparedHeaders } from "../hpack/index.ts";
import { maySend } from "../stream/state.ts";
import type { HeaderFields, Stream } from "../stream/stream.ts";
import { initialWindowBytes, SendWindow } from "../stream/window.ts";
import type { ByteChannel } from "./byte-channel.ts";
import type { SharedOutput } from "./flow/shared-output.ts";
import type { ConnectionLimits } from "./limits.ts";

const noFields: readonly string[] = [];

/** A payload from here on travels as a buffer of its own: copying it would cost more than another entry in the write. */
const ownBufferBytes = 8192;

/** What is written while the socket is behind is copied out of its slab, up to this. */
const maxCopiedBytes = 16_384;

export interface OutboundOwner {
  /** The socket has sent everything it held, and somebody waits for that. */
  drained(): void;
  /** The socket holds back so many bytes, of frames of any type: at least `pauseAtBacklogBytes`. */
  backlogGrew(bytes: number): void;
  /** Less data waits for windows and the socket than before. */
  onLessWaiting(): void;
  readonly sharedOutput: SharedOutput;
}

/**
 * Everything a connection sends: frames are collected and leave in one write at the end of the turn of the event loop
 * in which they were made.
 */
export class Outbound {
  readonly arena = new OutputArena();
  readonly window = new SendWindow(initialWindowBytes);
  maxFrameBytes = minMaxFrameBytes;
  /** Bytes that the socket holds back, as of the last flush. */
  backlogBytes = 0;
  /** Answers to PING and SETTINGS written since the socket was last empty. */
  queuedControlFrames = 0;
  /** Bytes handed to the socket since the connection began. */
  handedBytes = 0;
  private readonly socket: ByteChannel;
  private readonly owner: OutboundOwner;
  private readonly limits: ConnectionLimits;
  private readonly unindexedFields: readonly string[];
  /** Undefined before the first header block. */
  private encoder: HpackEncoder | undefined = undefined;
  /** Undefined before the first. */
  private given: GivenBuffers | undefined = undefined;
  /** Streams with pending data, in the order in which they get their turn. */
  private waiting: Stream[] = [];
  private flushScheduled = false;
  /** DATA frames and their bytes sent so far: what window updates are measured by. */
  dataFrames = 0;
  headerBlocks = 0;
  dataBytes = 0;
  /** Bytes of data that wait for windows or the socket, not counting what the socket holds. */
  waitingBytes = 0;
  /** Slabs that the socket still reads from. */
  private inFlight: Uint8Array[] = [];
  /** The socket finishes writes later, as TLS always does: it is asked to say when. */
  private isDeferred = true;
  private closed = false;

  constructor(
    socket: ByteChannel,
    owner: OutboundOwner,
    limits: ConnectionLimits,
    unindexedFields: readonly string[] = noFields,
  ) {
    this.socket = socket;
    this.owner = owner;
    this.limits = limits;
    this.unindexedFields = unindexedFields;
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

  private makeEncoder(): HpackEncoder {
    return new HpackEncoder(this.limits.headerTableBytes, this.unindexedFields);
  }

  /** The socket takes no more data for now; frames that control the connection are still collected. */
  private get isBlocked(): boolean {
    return this.backlogBytes + this.arena.pendingBytes >= this.limits.connectionSendBufferBytes;
  }

  /** Room for a whole small DATA frame, or -1 when it cannot leave at once. */
  reserveFrame(bytes: number): number {
    const payload = bytes - frameHeaderBytes;
    if (payload > this.maxFrameBytes || payload > this.window.available || payload >= ownBufferBytes) return -1;
    if (this.isBlocked) return -1;
    return this.arena.reserve(bytes);
  }

  commitData(stream: Stream, offset: number, bytes: number, endStream: boolean): void {
    const { arena } = this;
    arena.length = writeDataHeader(arena.bytes, offset, stream.id, bytes, endStream) + bytes;
    this.window.take(bytes);
    stream.sendWindow.take(bytes);
    this.dataFrames++;
    this.dataBytes += bytes;
    this.schedule();
    if (endStream) stream.endSent();
  }

  headers(stream: Stream, fields: HeaderFields, extra: readonly string[], endStream: boolean): void {
    this.headerBlocks++;
    this.encoder ??= this.makeEncoder();
    const { encoder } = this;
    const prepared = fields instanceof PreparedHeaders;
    let most = prepared ? fields.maxEncodedBytes : encoder.maxEncodedBytes(fields);
    if (extra.length > 0) most += encoder.maxEncodedBytes(extra);
    if (most > this.maxFrameBytes) {
      this.longHeaders(encoder, stream.id, [...(prepared ? fields.fields : fields), ...extra], most, endStream);
    } else {
      const { arena } = this;
      const offset = arena.reserve(frameHeaderBytes + most);
      const start = offset + frameHeaderBytes;
      let end = prepared
        ? encoder.encodePrepared(fields, arena.bytes, start)
        : encoder.encode(fields, arena.bytes, start);
      if (extra.length > 0) end = encoder.encode(extra, arena.bytes, end);
      const flags = endStream ? Flag.endHeaders | Flag.endStream : Flag.endHeaders;
      writeFrameHeader(arena.bytes, offset, end - start, FrameType.headers, flags, stream.id);
      arena.length = end;
    }
    this.schedule();
    if (endStream) stream.endSent();
  }

  /** A block that may not fit one frame goes on in CONTINUATION frames (RFC 9113 §6.10). */
  private longHeaders(
    encoder: HpackEncoder,
    streamId: number,
    fields: readonly string[],
    most: number,
    endStream: boolean,
  ): void {
    const block = new Uint8Array(most);
    const length = encoder.encode(fields, block, 0);
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

  /** Sends what the stream has pending, `addedBytes` of it new, as far as windows and socket allow; the rest waits for its turn. */
  pending(stream: Stream, addedBytes: number): void {
    this.waitingBytes += addedBytes;
    this.owner.sharedOutput.waitingBytes += addedBytes;
    if (stream.isQueued) return;
    while (this.sendOne(stream));
    this.afterPending(stream);
  }

  /** Windows or the socket have opened: gives the waiting streams their turn, a frame each. */
  resume(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    let round = waiting;
    while (round.length > 0) {
      const next: Stream[] = [];
      for (const stream of round) {
        // A stream stays marked while it has a place in a list: a listener that sends from here must not give it another.
        if (this.sendOne(stream)) {
          next.push(stream);
        } else {
          stream.isQueued = false;
          this.afterPending(stream);
        }
      }
      round = next;
    }
  }

  /** The window of one waiting stream has opened. The others have no more room than before: none of them gets a turn. */
  resumeStream(stream: Stream): void {
    // It keeps its place in the list meanwhile: a listener that sends from here must not give it another.
    while (this.sendOne(stream));
    if (!stream.isClosed && stream.pending === undefined) {
      this.dequeue(stream);
      stream.isQueued = false;
    }
    this.afterPending(stream);
  }

  /** One DATA frame, or the end behind the last. True: there may be more to send now. */
  private sendOne(stream: Stream): boolean {
    const { pending } = stream;
    if (pending === undefined || pending.length === 0) return this.sendEnd(stream);
    if (this.isBlocked) return false;
    const first = pending[0] as Uint8Array;
    const room = Math.min(this.window.available, stream.sendWindow.available, this.maxFrameBytes);
    if (room <= 0) return false;
    const take = Math.min(first.length, room);
    const isLast = take === stream.pendingBytes && stream.pendingEnd && stream.pendingTrailers === undefined;
    if (take === first.length) pending.shift();
    else pending[0] = first.subarray(take);
    stream.pendingBytes -= take;
    this.stopWaiting(take);
    this.window.take(take);
    stream.sendWindow.take(take);
    this.dataFrame(stream.id, take === first.length ? first : first.subarray(0, take), isLast);
    if (take === first.length) this.given?.lastCollected(first);
    if (!isLast) return true;
    stream.pending = undefined;
    stream.endSent();
    return false;
  }

  /** So many bytes wait no longer: they have been sent, or their stream has been reset. */
  stopWaiting(bytes: number): void {
    this.waitingBytes -= bytes;
    this.owner.sharedOutput.waitingBytes -= bytes;
    this.owner.onLessWaiting();
  }

  private sendEnd(stream: Stream): boolean {
    stream.pending = undefined;
    // The end may have left already, by a way that does not wait.
    if (!stream.pendingEnd || !maySend(stream.state)) return false;
    if (stream.pendingTrailers === undefined) {
      this.dataFrame(stream.id, undefined, true);
      stream.endSent();
      return false;
    }
    const trailers = stream.pendingTrailers;
    stream.pendingTrailers = undefined;
    this.headers(stream, trailers, noFields, true);
    return false;
  }

  private dataFrame(streamId: number, payload: Uint8Array | undefined, endStream: boolean): void {
    const { arena } = this;
    const bytes = payload === undefined ? 0 : payload.length;
    this.dataFrames++;
    this.dataBytes += bytes;
    const copied = bytes < ownBufferBytes;
    const offset = arena.reserve(frameHeaderBytes + (copied ? bytes : 0));
    const start = writeDataHeader(arena.bytes, offset, streamId, bytes, endStream);
    arena.length = start;
    if (payload !== undefined) {
      if (copied) {
        arena.bytes.set(payload, start);
        arena.length = start + bytes;
      } else {
        arena.append(payload);
      }
    }
    this.schedule();
  }

  private afterPending(stream: Stream): void {
    if (stream.isClosed) return;
    if (stream.pending !== undefined && !stream.isQueued) {
      stream.isQueued = true;
      this.waiting.push(stream);
    }
    if (stream.wantsRoom && stream.pendingBytes < stream.owner.streamSendBufferBytes) {
      stream.wantsRoom = false;
      try {
        stream.listener?.onWritable();
      } catch (error) {
        // Other streams wait behind this one, and the frame that made room may not have been this one's at all.
        stream.owner.listenerThrew(stream, error);
      }
    }
  }

  /**
   * Streams whose end is decided but whose data has not moved for `limitMs`: their peer takes the connection's memory
   * hostage (CVE-2026-49975's second half). Called once per tick; streams that are still being written may wait for ever.
   */
  stalledStreams(nowMs: number, limitMs: number): Stream[] {
    const stalled: Stream[] = [];
    for (const stream of this.waiting) {
      if (!stream.pendingEnd || stream.pendingBytes !== stream.stalledBytes) {
        stream.stalledBytes = stream.pendingBytes;
        stream.stalledSinceMs = nowMs;
      } else if (nowMs - stream.stalledSinceMs >= limitMs) {
        stalled.push(stream);
      }
    }
    return stalled;
  }

  /** Bytes that the socket holds now. */
  get unsentBytes(): number {
    return this.socket.writableLength;
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

  /**
   * A tick of the event loop begins when no microtask is left. So every handler that could answer what this turn has
   * read has answered by then, and all of it leaves in one write; and no answer waits for the next turn.
   */
  private schedule(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    process.nextTick(flush, this);
  }

  flush(): void {
    this.flushScheduled = false;
    if (this.closed) return;
    const { arena, socket } = this;
    // Not every channel reports "drain" after a write that stayed below its mark, so whoever waits needs the callback.
    const isAwaited =
      this.isDeferred ||
      this.queuedControlFrames > 0 ||
      this.waiting.length > 0 ||
      this.isBlocked ||
      this.given?.isAwaited === true;
    const parts = arena.take();
    const last = parts.length - 1;
    if (last === -1) return;
    let final = parts[last] as Uint8Array;
    // A socket that is behind keeps what it is given: a slab for a few bytes would be memory that no count of bytes shows.
    const isCopied = this.backlogBytes > 0 && last === 0 && final.length <= maxCopiedBytes;
    if (isCopied) final = Buffer.from(final);
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) this.hand(parts[i] as Uint8Array, undefined);
    this.hand(final, isAwaited ? () => this.written() : undefined);
    if (last > 0) socket.uncork();
    this.backlogBytes = socket.writableLength;
    if (this.backlogBytes === 0) this.queuedControlFrames = 0;
    if (this.backlogBytes === 0 || isCopied) arena.recycle();
    else this.inFlight.push(arena.detach());
    this.isDeferred = this.backlogBytes > 0;
    this.given?.handed(!this.isDeferred);
    if (this.backlogBytes >= this.limits.pauseAtBacklogBytes) this.owner.backlogGrew(this.backlogBytes);
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

  /** The stream is gone: it must not stay in memory until its turn would have come. */
  dequeue(stream: Stream): void {
    const at = this.waiting.indexOf(stream);
    if (at !== -1) this.waiting.splice(at, 1);
  }

  /** The socket has sent everything it held. */
  drained(): void {
    this.backlogBytes = 0;
    this.queuedControlFrames = 0;
    this.resume();
  }

  /** Nothing is written from here on. */
  close(): void {
    this.closed = true;
    this.waiting = [];
    this.arena.take();
    this.arena.detach();
    this.inFlight = [];
    this.given?.forget();
  }
}

/** One for all connections: a function of its own for each would be memory that an idle one holds. */
function flush(outbound: Outbound): void {
  outbound.flush();
}
