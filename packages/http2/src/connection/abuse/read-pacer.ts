import type { TurnWork } from "../../frame/turn-work.ts";
import type { ByteChannel } from "../byte-channel.ts";

export interface ChunkReader {
  /**
   * Reads the bytes from `from` on and returns where it stopped: the chunk's end, unless the connection has had its turn.
   * -1 when nothing must be read any more.
   */
  readChunk(chunk: Uint8Array, from: number): number;
}

/**
 * A chunk that is less work than this part of a turn's does not open an account: calls that come one by one would pay for it. One poll
 * delivers a few dozen chunks of a connection at most.
 */
const minCountedShare = 1 / 8;

/**
 * When a connection reads: beyond its share of work in a turn of the event loop, whatever number of chunks brought it, it reads on
 * in later turns, and we do not read from a peer that does not read our output.
 */
export class ReadPacer {
  private readonly socket: ByteChannel;
  private readonly reader: ChunkReader;
  private readonly work: TurnWork;
  private readonly maxWork: number;
  /** Bytes of a chunk that was not read to its end. */
  private unread: Uint8Array | undefined = undefined;
  private unreadAt = 0;
  private isPaused = false;
  private awaitsDrain = false;
  /** The connection has had its turn, and reads on in the next. */
  private awaitsTurn = false;
  /** This turn's work is counted until the next. */
  private isCounting = false;
  private isStopped = false;

  constructor(socket: ByteChannel, reader: ChunkReader, work: TurnWork, maxWork: number) {
    this.socket = socket;
    this.reader = reader;
    this.work = work;
    this.maxWork = maxWork;
  }

  /** True: the chunk has been used up, and nothing refers to it any more. */
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

  /** Pauses reading until the socket is empty: the peer sends requests and does not read the responses. False: it was paused already. */
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

  /** Stops reading. The socket's owner discards what still arrives. */
  stop(): void {
    this.isStopped = true;
    this.unread = undefined;
  }

  private readFrom(chunk: Uint8Array, from: number): void {
    const { work } = this;
    if (!this.isCounting) work.done = 0;
    const stoppedAt = this.reader.readChunk(chunk, from);
    if (stoppedAt === -1 || this.isStopped) return;
    if (stoppedAt < chunk.length) {
      this.unread = chunk;
      this.unreadAt = stoppedAt;
    }
    if (work.done < this.maxWork * minCountedShare) return;
    if (!this.isCounting) {
      this.isCounting = true;
      setImmediate(() => this.nextTurn());
    }
    if (work.done < this.maxWork) return;
    this.awaitsTurn = true;
    this.pause();
  }

  private nextTurn(): void {
    this.isCounting = false;
    this.awaitsTurn = false;
    const chunk = this.unread;
    if (this.isStopped) return;
    if (chunk !== undefined) {
      this.unread = undefined;
      this.readFrom(chunk, this.unreadAt);
    }
    this.resume();
  }

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.isPaused || this.awaitsTurn || this.awaitsDrain) return;
    this.isPaused = false;
    this.socket.resume();
  }
}
