import type { Stream } from "../stream/stream.ts";
import { initialWindowBytes, SendWindow } from "../stream/window.ts";
import { ownBufferBytes } from "./data-frames.ts";
import type { SharedOutput } from "./flow/shared-output.ts";
import type { FrameWriter } from "./frame-writer.ts";

const noFields: readonly string[] = [];

export interface OutboundOwner {
  /** Less data waits for windows and the socket than before. */
  onLessWaiting(): void;
}

/**
 * The data of a connection's streams on its way out: sent at once where windows and socket allow, and otherwise a frame of each waiting stream in
 * turn.
 */
export class Outbound {
  readonly window = new SendWindow(initialWindowBytes);
  /** Bytes of data that wait for windows or the socket, not counting what the socket holds. */
  waitingBytes = 0;
  readonly frames: FrameWriter;
  private readonly shared: SharedOutput;
  private readonly owner: OutboundOwner;
  /** Streams with pending data, in the order in which they get their turn. */
  private waiting: Stream[] = [];

  constructor(frames: FrameWriter, shared: SharedOutput, owner: OutboundOwner) {
    this.frames = frames;
    this.shared = shared;
    this.owner = owner;
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Room for `bytes` of data in the connection's output, or -1 when it cannot leave at once. Returns where it begins in `frames.data.reserved`. */
  reserve(stream: Stream, bytes: number): number {
    const { frames } = this;
    if (bytes > frames.maxFrameBytes || bytes > this.window.available || bytes >= ownBufferBytes) return -1;
    return frames.isBlocked ? -1 : frames.data.reserve(stream.send, stream.id, bytes);
  }

  /** The place that was reserved holds `bytes` of data now. */
  commit(stream: Stream, offset: number, bytes: number, endStream: boolean): void {
    this.window.take(bytes);
    stream.send.take(bytes);
    this.frames.data.commit(stream.id, offset, bytes, endStream);
    if (endStream) stream.endSent();
  }

  /** Sends `prefix` and `body` as copies. False: they cannot leave at once as a whole, and nothing was sent. */
  copy(stream: Stream, prefix: Uint8Array, body: Uint8Array, endStream: boolean): boolean {
    const { frames } = this;
    const bytes = prefix.length + body.length;
    if (bytes > this.window.available || bytes > stream.send.available || frames.isBlocked) return false;
    if (endStream) stream.send.end();
    this.window.take(bytes);
    stream.send.take(bytes);
    frames.data.copy(stream.id, prefix, body, endStream);
    if (endStream) stream.endSent();
    return true;
  }

  /** Sends what the stream has pending, `addedBytes` of it new, as far as windows and socket allow; the rest waits for its turn. */
  pending(stream: Stream, addedBytes: number): void {
    this.waitingBytes += addedBytes;
    this.shared.waitingBytes += addedBytes;
    if (stream.send.isQueued) return;
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
          stream.send.isQueued = false;
          this.afterPending(stream);
        }
      }
      round = next;
    }
  }

  /** The window of one waiting stream has opened. The others do not have more room than before, so they are not tried. */
  resumeStream(stream: Stream): void {
    // It keeps its place in the list during this: a listener that sends from here must not give it another.
    while (this.sendOne(stream));
    if (!stream.isClosed && !stream.send.isWaiting) {
      this.dequeue(stream);
      stream.send.isQueued = false;
    }
    this.afterPending(stream);
  }

  /** So many bytes wait no longer: they have been sent, or their stream has been reset. */
  stopWaiting(bytes: number): void {
    this.waitingBytes -= bytes;
    this.shared.waitingBytes -= bytes;
    this.owner.onLessWaiting();
  }

  /** The stream is gone: it must not stay in memory until its turn would have come. */
  dequeue(stream: Stream): void {
    const at = this.waiting.indexOf(stream);
    if (at !== -1) this.waiting.splice(at, 1);
  }

  /**
   * Streams whose end is decided but whose data has not moved for `limitMs`: their peer takes the connection's memory
   * hostage (CVE-2026-49975's second half). Called once per tick; streams that are still being written may wait for ever.
   */
  stalledStreams(nowMs: number, limitMs: number): Stream[] {
    const stalled: Stream[] = [];
    for (const stream of this.waiting) if (stream.send.stalledForMs(nowMs) >= limitMs) stalled.push(stream);
    return stalled;
  }

  /** The socket has sent everything it held. */
  drained(): void {
    this.frames.drained();
    this.resume();
  }

  /** Nothing is sent from here on. */
  close(): void {
    this.waiting = [];
    this.frames.close();
  }

  /** Sends one DATA frame, or the end after the last one. True: more may be sent now. */
  private sendOne(stream: Stream): boolean {
    const { send } = stream;
    const { first } = send;
    if (first === undefined) return this.sendEnd(stream);
    const { frames } = this;
    if (frames.isBlocked) return false;
    const room = Math.min(this.window.available, send.available, frames.maxFrameBytes);
    if (room <= 0) return false;
    const take = Math.min(first.length, room);
    const isLast = send.advance(take);
    this.stopWaiting(take);
    this.window.take(take);
    frames.data.send(stream.id, take === first.length ? first : first.subarray(0, take), isLast);
    if (take === first.length) frames.lastCollected(first);
    if (!isLast) return true;
    send.settle();
    stream.endSent();
    return false;
  }

  private sendEnd(stream: Stream): boolean {
    const trailers = stream.send.settle();
    // The end may have left already, by a way that does not wait.
    if (!stream.send.hasEnd || !stream.canSend) return false;
    if (trailers === undefined) this.frames.data.send(stream.id, undefined, true);
    else this.frames.headers(stream.id, trailers, noFields, true);
    stream.endSent();
    return false;
  }

  private afterPending(stream: Stream): void {
    if (stream.isClosed) return;
    if (stream.send.isWaiting && !stream.send.isQueued) {
      stream.send.isQueued = true;
      this.waiting.push(stream);
    }
    stream.notifyRoom();
  }
}
