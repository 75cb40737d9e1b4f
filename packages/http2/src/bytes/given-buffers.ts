import { freeBuffer } from "./free-buffer.ts";

/**
 * Payloads that their senders have given away, from then until their memory is freed. They leave in pieces, so one goes
 * through three stages: it waits on its stream, its last piece has been collected, and all of it is with the socket.
 */
export class GivenBuffers {
  /** Weak, because a stream that is reset drops what waits. */
  private readonly waiting = new WeakSet<ArrayBufferLike>();
  private collected: Uint8Array[] = [];
  private inFlight: Uint8Array[] = [];

  /** `bytes` will be sent, and no one reads it afterwards. A part of a larger buffer is not freed. */
  give(bytes: Uint8Array): void {
    if (bytes.length === bytes.buffer.byteLength) this.waiting.add(bytes.buffer);
  }

  /** The last bytes of what may be a given payload have been collected for the next write. */
  lastCollected(piece: Uint8Array): void {
    if (this.waiting.delete(piece.buffer)) this.collected.push(new Uint8Array(piece.buffer));
  }

  /** Whether the next write holds the end of one. */
  get isAwaited(): boolean {
    return this.collected.length > 0;
  }

  /** What was collected has been handed to the socket; `isWritten`: it has left already. */
  handed(isWritten: boolean): void {
    if (this.collected.length === 0) return;
    this.inFlight.push(...this.collected);
    this.collected = [];
    if (isWritten) this.written();
  }

  /** Everything that the socket was handed has left. */
  written(): void {
    if (this.inFlight.length === 0) return;
    for (const bytes of this.inFlight) freeBuffer(bytes);
    this.inFlight = [];
  }

  /** No one says any more what becomes of the rest: it is left to the garbage collector. */
  forget(): void {
    this.collected = [];
    this.inFlight = [];
  }
}
