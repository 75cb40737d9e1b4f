import type { ByteChannel } from "../connection/byte-channel.ts";

/** What sits at the two ends of a {@link MemoryChannel}. */
export interface MemoryChannelEnds {
  /** The connection under test receives bytes. */
  receive(chunk: Uint8Array): void;
  /** Everything it wrote has left after `write` had returned false. */
  drained(): void;
  /** The channel is gone. */
  closed(cause: Error | undefined): void;
  /** Bytes that the connection under test wrote have reached the peer. */
  peerReceives(chunk: Uint8Array): void;
}

/** As Node's sockets have it. */
const defaultHighWaterMark = 65_536;

/**
 * Replaces a socket: it copies, counts and delivers bytes exactly when the test says so. What the connection writes
 * reaches the peer at once, or stays in `writableLength` while `holdWrites` is in force; what the peer sends reaches the
 * connection at once, or waits while the connection has paused the channel.
 */
export class MemoryChannel implements ByteChannel {
  private readonly ends: MemoryChannelEnds;
  private readonly highWaterMark: number;
  private readonly held: { bytes: Uint8Array; written: (() => void) | undefined }[] = [];
  private heldBytes = 0;
  private holding = false;
  private needsDrain = false;
  private corks = 0;
  private endAfterHeld = false;
  private readonly incoming: Uint8Array[] = [];

  /** The connection has paused its input. */
  isPaused = false;
  /** The connection has ended its side, and all it wrote has left. */
  isEnded = false;
  isDestroyed = false;
  /** Whether the channel, were it a socket, would keep the process alive, and how often the connection has said so. */
  isReferenced = true;
  referenceChanges = 0;
  /** Grows with everything that happens, so that a test can detect that nothing happens any more. */
  activity = 0;

  constructor(ends: MemoryChannelEnds, highWaterMark: number = defaultHighWaterMark) {
    this.ends = ends;
    this.highWaterMark = highWaterMark;
  }

  // ---- the connection's side

  ref(): void {
    this.isReferenced = true;
    this.referenceChanges++;
  }

  unref(): void {
    this.isReferenced = false;
    this.referenceChanges++;
  }

  get writableLength(): number {
    return this.heldBytes;
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    this.activity++;
    if (this.endAfterHeld) throw new Error("write after end");
    if (this.isDestroyed) return false;
    const belowMark = this.heldBytes + bytes.length < this.highWaterMark;
    if (!belowMark) this.needsDrain = true;
    // A copy, as the kernel makes one: the writer may reuse the memory once nothing is held back.
    this.held.push({ bytes: Buffer.from(bytes), written });
    this.heldBytes += bytes.length;
    if (!this.holding && this.corks === 0) this.deliver(Number.POSITIVE_INFINITY);
    return belowMark;
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    this.corks--;
    if (!this.holding && this.corks === 0) this.deliver(Number.POSITIVE_INFINITY);
  }

  pause(): void {
    this.activity++;
    this.isPaused = true;
  }

  resume(): void {
    this.activity++;
    this.isPaused = false;
    // A socket never delivers from within `resume`.
    if (this.incoming.length > 0) setImmediate(() => this.pump());
  }

  end(): void {
    this.activity++;
    this.endAfterHeld = true;
    if (this.heldBytes === 0) this.isEnded = true;
  }

  destroy(error?: Error): void {
    if (this.isDestroyed) return;
    this.activity++;
    this.isDestroyed = true;
    this.incoming.length = 0;
    setImmediate(() => {
      this.activity++;
      this.ends.closed(error);
    });
  }

  // ---- the test's side

  /** From here on nothing that the connection writes leaves: the peer has stopped reading. */
  holdWrites(): void {
    this.holding = true;
  }

  /** Lets `bytes` of what is held back leave; all of it, and everything from here on, without a number. */
  releaseWrites(bytes: number = Number.POSITIVE_INFINITY): void {
    if (bytes === Number.POSITIVE_INFINITY) this.holding = false;
    this.deliver(bytes);
  }

  /** Bytes from the peer, as one chunk. */
  deliverChunk(chunk: Uint8Array): void {
    if (this.isDestroyed) return;
    this.activity++;
    this.incoming.push(chunk);
    this.pump();
  }

  /** The peer's side is gone, in good order or with an error. */
  closeByPeer(cause?: Error): void {
    this.destroy(cause);
  }

  private pump(): void {
    while (!this.isPaused && !this.isDestroyed) {
      const chunk = this.incoming.shift();
      if (chunk === undefined) return;
      this.activity++;
      this.ends.receive(chunk);
    }
  }

  private deliver(bytes: number): void {
    let left = bytes;
    while (left > 0 && this.held.length > 0 && !this.isDestroyed) {
      const first = this.held[0] as { bytes: Uint8Array; written: (() => void) | undefined };
      const take = Math.min(left, first.bytes.length);
      left -= take;
      this.heldBytes -= take;
      this.activity++;
      const part = first.bytes.subarray(0, take);
      if (take < first.bytes.length) first.bytes = first.bytes.subarray(take);
      else {
        this.held.shift();
        if (first.written !== undefined) process.nextTick(first.written);
      }
      this.ends.peerReceives(part);
    }
    if (this.heldBytes > 0) return;
    if (this.endAfterHeld) this.isEnded = true;
    if (!this.needsDrain) return;
    this.needsDrain = false;
    process.nextTick(() => {
      if (!this.isDestroyed) this.ends.drained();
    });
  }
}
