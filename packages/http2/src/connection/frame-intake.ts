import { FrameReader } from "../frame/frame-reader.ts";
import { type TurnWork, workOfFrame } from "../frame/turn-work.ts";
import type { ByteChannel } from "./byte-channel.ts";
import type { Inbound } from "./inbound.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { StreamRegistry } from "./streams/stream-registry.ts";
import type { Clock } from "./time/clock.ts";
import type { ConnectionTimers } from "./time/connection-timers.ts";

export interface FrameIntakeParts {
  readonly socket: Pick<ByteChannel, "pause" | "resume">;
  readonly clock: Clock;
  readonly limits: Pick<ConnectionLimits, "frames">;
  readonly turnWork: TurnWork;
  readonly phases: Pick<ConnectionTimers, "afterRead">;
  readonly inbound: Pick<Inbound, "onFrame" | "failed">;
  readonly registry: Pick<StreamRegistry, "requestGate">;
}

/**
 * A chunk that is less work than this part of a turn's does not open an account: calls that come one by one would pay for it. One poll
 * delivers a few dozen chunks of a connection at most.
 */
const minCountedShare = 1 / 8;

/**
 * The bytes of a connection on their way in: cut into frames, and no more of them in a turn of the event loop than the connection's share of
 * work, in whatever number of chunks they come. The rest is read in later turns, and we do not read from a peer that does not read our output.
 */
export class FrameIntake {
  private readonly parts: FrameIntakeParts;
  private readonly maxWork: number;
  /** Undefined before the first bytes. */
  private reader: FrameReader | undefined = undefined;
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

  constructor(parts: FrameIntakeParts) {
    this.parts = parts;
    this.maxWork = workOfFrame * parts.limits.frames.maxPerTurn;
  }

  /** True: the chunk has been used up, and nothing refers to it any more. For a chunk whose memory is reused, what is left is copied. */
  receive(chunk: Uint8Array, isReused = false): boolean {
    if (this.unread !== undefined) {
      // Only a source that cannot be paused delivers in this state.
      this.unread = Buffer.concat([this.unread.subarray(this.unreadAt), chunk]);
      this.unreadAt = 0;
    } else {
      this.readFrom(chunk, 0);
      if (isReused) this.copyUnread();
    }
    return this.unread !== chunk;
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

  /** Stops reading, from within a frame's handling too. The socket's owner discards what still arrives. */
  stop(): void {
    this.isStopped = true;
    this.unread = undefined;
    this.reader?.stop();
  }

  private readFrom(chunk: Uint8Array, from: number): void {
    const { inbound, registry, limits, turnWork, phases, clock } = this.parts;
    this.reader ??= new FrameReader(inbound, limits.frames.maxBytes, turnWork);
    const { reader } = this;
    if (!this.isCounting) turnWork.done = 0;
    registry.requestGate?.beginTurn();
    let stoppedAt: number;
    try {
      stoppedAt = reader.read(chunk, from, this.maxWork);
    } catch (error) {
      inbound.failed(error, 0);
      return;
    }
    phases.afterRead(reader.isInsideFrame, reader.framesRead, clock);
    if (this.isStopped) return;
    if (stoppedAt < chunk.length) {
      this.unread = chunk;
      this.unreadAt = stoppedAt;
    }
    this.countWork(turnWork.done);
  }

  private copyUnread(): void {
    if (this.unread === undefined) return;
    this.unread = Buffer.from(this.unread.subarray(this.unreadAt));
    this.unreadAt = 0;
  }

  private countWork(done: number): void {
    if (done < this.maxWork * minCountedShare) return;
    if (!this.isCounting) {
      this.isCounting = true;
      setImmediate(() => this.nextTurn());
    }
    if (done < this.maxWork) return;
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
    this.parts.socket.pause();
  }

  private resume(): void {
    if (!this.isPaused || this.awaitsTurn || this.awaitsDrain) return;
    this.isPaused = false;
    this.parts.socket.resume();
  }
}
