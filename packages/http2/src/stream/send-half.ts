import type { HeaderFields } from "./header-fields.ts";
import { maxWindowBytes } from "./window.ts";

/** What waits for a window or the socket. Most streams never have any. */
interface WaitingOutput {
  /** Oldest first. */
  readonly pieces: Uint8Array[];
  trailers: HeaderFields | undefined;
  /** What waited when it last moved, and since when it has not; looked at once per tick. */
  stalledBytes: number;
  stalledSinceMs: number;
}

/**
 * What a stream has still to send: its window, the data that waits for it or for the socket, and what ends it. The window is part of it, and not an
 * object that it has, because there is one for each stream.
 */
export class SendHalf {
  /** What the peer's window has room for. Negative when the peer has made its windows smaller, see `SendWindow`. */
  available: number;
  /** Bytes of data that wait. */
  pendingBytes = 0;
  /** The end is decided: it follows the data that waits, with trailers or without. */
  hasEnd = false;
  /** For the connection: the turn in which it last sent a small DATA frame; 0 for never. */
  lastTurn = 0;
  /** For the connection: where in that turn's `JoinedData` it may have a share. */
  joinedShare = 0;
  /** For the connection: its list of waiting streams holds this one. */
  isQueued = false;
  private waiting: WaitingOutput | undefined = undefined;

  constructor(windowBytes: number) {
    this.available = windowBytes;
  }

  take(bytes: number): void {
    this.available -= bytes;
  }

  /** A WINDOW_UPDATE, or the difference a new initial window makes. False: it is too large, which is the peer's error. */
  shift(bytes: number): boolean {
    if (this.available + bytes > maxWindowBytes) return false;
    this.available += bytes;
    return true;
  }

  /** Data waits, or its last piece has been sent and the end may follow. */
  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** The data that is next; undefined where none waits. */
  get first(): Uint8Array | undefined {
    return this.waiting?.pieces[0];
  }

  add(bytes: Uint8Array): void {
    if (this.waiting === undefined) {
      this.waiting = { pieces: [bytes], trailers: undefined, stalledBytes: -1, stalledSinceMs: 0 };
    } else {
      this.waiting.pieces.push(bytes);
    }
    this.pendingBytes += bytes.length;
  }

  /** The stream ends after what waits. */
  end(): void {
    this.hasEnd = true;
  }

  /** The same with trailers. Only while data waits. */
  endWithTrailers(trailers: HeaderFields): void {
    this.hasEnd = true;
    (this.waiting as WaitingOutput).trailers = trailers;
  }

  /** So many bytes of `first` are sent. True: they are the last, and the end goes with them. */
  advance(bytes: number): boolean {
    const { pieces, trailers } = this.waiting as WaitingOutput;
    const first = pieces[0] as Uint8Array;
    const isLast = bytes === this.pendingBytes && this.hasEnd && trailers === undefined;
    if (bytes === first.length) pieces.shift();
    else pieces[0] = first.subarray(bytes);
    this.pendingBytes -= bytes;
    this.take(bytes);
    return isLast;
  }

  /** Nothing waits any more but the end, if that. Returns the trailers that it has. */
  settle(): HeaderFields | undefined {
    const trailers = this.waiting?.trailers;
    this.waiting = undefined;
    return trailers;
  }

  /** Gives up what waits. Returns how much that was. */
  drop(): number {
    const bytes = this.pendingBytes;
    this.pendingBytes = 0;
    this.waiting = undefined;
    return bytes;
  }

  /** How long what waits before a decided end has not moved; data of streams that are still written may wait for ever. */
  stalledForMs(nowMs: number): number {
    const { waiting, pendingBytes } = this;
    if (waiting === undefined) return 0;
    if (!this.hasEnd || pendingBytes !== waiting.stalledBytes) {
      waiting.stalledBytes = pendingBytes;
      waiting.stalledSinceMs = nowMs;
    }
    return nowMs - waiting.stalledSinceMs;
  }
}
