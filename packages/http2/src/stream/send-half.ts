import type { HeaderFields } from "./header-fields.ts";
import { SendWindow } from "./window.ts";

/** What a stream has still to send: its window, the data that waits for it or for the socket, and what ends it. */
export class SendHalf extends SendWindow {
  /** Bytes of data that wait. */
  pendingBytes = 0;
  /** The end is decided: it follows the data that waits, with trailers or without. */
  hasEnd = false;
  /** For the connection: its list of waiting streams holds this one. */
  isQueued = false;
  /** Oldest first; undefined while nothing waits. */
  private pieces: Uint8Array[] | undefined = undefined;
  private trailers: HeaderFields | undefined = undefined;
  /** What waited when it last moved, and since when it has not; looked at once per tick. */
  private stalledBytes = -1;
  private stalledSinceMs = 0;

  /** Data waits, or its last piece has been sent and the end may follow. */
  get isWaiting(): boolean {
    return this.pieces !== undefined;
  }

  /** The data that is next; undefined where none waits. */
  get first(): Uint8Array | undefined {
    return this.pieces?.[0];
  }

  add(bytes: Uint8Array): void {
    if (this.pieces === undefined) this.pieces = [bytes];
    else this.pieces.push(bytes);
    this.pendingBytes += bytes.length;
  }

  /** The stream ends after what waits. */
  end(trailers?: HeaderFields): void {
    this.hasEnd = true;
    this.trailers = trailers;
  }

  /** So many bytes of `first` are sent. True: they are the last, and the end goes with them. */
  advance(bytes: number): boolean {
    const pieces = this.pieces as Uint8Array[];
    const first = pieces[0] as Uint8Array;
    const isLast = bytes === this.pendingBytes && this.hasEnd && this.trailers === undefined;
    if (bytes === first.length) pieces.shift();
    else pieces[0] = first.subarray(bytes);
    this.pendingBytes -= bytes;
    this.take(bytes);
    return isLast;
  }

  /** Nothing waits any more but the end, if that. Returns the trailers that it has. */
  settle(): HeaderFields | undefined {
    const { trailers } = this;
    this.pieces = undefined;
    this.trailers = undefined;
    return trailers;
  }

  /** Gives up what waits. Returns how much that was. */
  drop(): number {
    const bytes = this.pendingBytes;
    this.pendingBytes = 0;
    this.settle();
    return bytes;
  }

  /** How long what waits before a decided end has not moved; data of streams that are still written may wait for ever. */
  stalledForMs(nowMs: number): number {
    if (!this.hasEnd || this.pendingBytes !== this.stalledBytes) {
      this.stalledBytes = this.pendingBytes;
      this.stalledSinceMs = nowMs;
    }
    return nowMs - this.stalledSinceMs;
  }
}
