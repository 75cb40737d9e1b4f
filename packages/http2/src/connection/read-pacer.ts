import type { ByteChannel } from "./byte-channel.ts";

export interface ChunkReader {
  /**
   * Reads the octets from `from` on and returns where it stopped: the chunk's end, unless the connection has had its turn.
   * -1 when nothing is to be read any more.
   */
  readChunk(chunk: Uint8Array, from: number): number;
}

/**
 * When a connection reads: a chunk that holds more than its share of frames is read on in later turns of the event loop, and
 * a peer that does not read our answers is not read from.
 */
export class ReadPacer {
  private readonly socket: ByteChannel;
  private readonly reader: ChunkReader;
  /** Octets of a chunk that was not read to its end. */
  private unread: Uint8Array | undefined = undefined;
  private unreadAt = 0;
  private isPaused = false;
  private awaitsDrain = false;
  private isStopped = false;

  constructor(socket: ByteChannel, reader: ChunkReader) {
    this.socket = socket;
    this.reader = reader;
  }

  /** True: the chunk has been used up, and nobody refers to it any more. */
  receive(chunk: Uint8Array): boolean {
    if (this.unread !== undefined) {
      // Only a source that cannot be paused delivers in this state.
      this.unread = Buffer.concat([this.unread.subarray(this.unreadAt), chunk]);
      this.unreadAt = 0;
    } else {
      this.readFrom(chunk, 0);
    }
    return this.unread === undefined;
  }

  /** Reads nothing more before the socket is empty: the peer asks and does not read the answers. False: it was so already. */
  pauseUntilDrained(): boolean {
    if (this.awaitsDrain) return false;
    this.awaitsDrain = true;
    this.pause();
    return true;
  }

  drained(): void {
    this.awaitsDrain = false;
    this.resume();
  }

  /** Reads nothing any more; what still comes is taken from the socket and thrown away by whoever is asked to read it. */
  stop(): void {
    this.isStopped = true;
    this.unread = undefined;
  }

  private readFrom(chunk: Uint8Array, from: number): void {
    const stoppedAt = this.reader.readChunk(chunk, from);
    if (stoppedAt === -1 || stoppedAt === chunk.length || this.isStopped) return;
    this.unread = chunk;
    this.unreadAt = stoppedAt;
    this.pause();
    setImmediate(() => this.readOn());
  }

  private readOn(): void {
    const chunk = this.unread;
    if (chunk === undefined || this.isStopped) return;
    this.unread = undefined;
    this.readFrom(chunk, this.unreadAt);
    this.resume();
  }

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.isPaused || this.unread !== undefined || this.awaitsDrain) return;
    this.isPaused = false;
    this.socket.resume();
  }
}
