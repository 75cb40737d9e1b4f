import type { Stream } from "../../stream/stream.ts";
import type { LimitNotifier } from "../abuse/limit-notifier.ts";
import type { SharedOutput } from "../flow/shared-output.ts";
import type { ConnectionLimits } from "../limits.ts";
import type { Outbound } from "../outbound.ts";

/** One connection may hold four times what is left for all: little enough that others find room, and most of it when it is alone. */
const shareOfLeft = 4;

export interface RequestGateParts {
  readonly outbound: Outbound;
  readonly sharedOutput: SharedOutput;
  readonly limits: ConnectionLimits;
  readonly limitNotifier: LimitNotifier;
}

/**
 * Holds requests before their handlers begin while too much of earlier responses waits on the connection, and admits them in order as
 * that leaves. Frames are read all the time, so a peer that opens its windows always gets its responses.
 *
 * What a handler sends is known only later. So each request is counted by what its response is expected to take until the event loop's
 * next turn, when the responses of handlers that do not wait have been counted themselves: requests that arrive in one chunk must not
 * all find the same room.
 */
export class RequestGate {
  readonly #parts: RequestGateParts;
  readonly #maxBytes: number;
  /** Up to this, whatever waits on other connections. */
  readonly #exemptBytes: number;
  /** Requests that wait, in order, and what is expected of each. */
  readonly #held = new Map<Stream, number>();
  /** What the responses to requests of this turn are expected to take; Infinity while requests are held, so that none gets past them. */
  #expectedBytes = 0;
  #isReleasing = false;
  /** The peer's limit has been reported, and something has waited ever since. */
  #isReported = false;

  constructor(parts: RequestGateParts) {
    this.#parts = parts;
    const { maxWaitingBytes, streamBufferBytes } = parts.limits.output;
    this.#maxBytes = maxWaitingBytes;
    this.#exemptBytes = Math.min(maxWaitingBytes, streamBufferBytes);
  }

  /** Whether the request's handler may begin. False: its listener's `onAdmitted` is called once it may, unless the stream ends before. */
  admits(stream: Stream, expectedBytes: number): boolean {
    const bytes = this.#parts.outbound.waitingBytes + this.#expectedBytes;
    if (bytes > this.#exemptBytes && !this.#hasRoom(this.#expectedBytes)) {
      this.#hold(stream, expectedBytes);
      return false;
    }
    this.#expectedBytes += expectedBytes;
    return true;
  }

  /** Whatever handlers sent at once in earlier turns has been counted by now. */
  beginTurn(): void {
    if (this.#held.size === 0) this.#expectedBytes = 0;
  }

  /** Less waits on the connection, or on others. */
  onLessWaiting(): void {
    if (this.#parts.outbound.waitingBytes === 0) this.#isReported = false;
    if (this.#held.size > 0 && this.#hasRoom(0)) this.#releaseNextTurn();
  }

  /** The stream is closed: its handler does not begin any more. */
  forget(stream: Stream): void {
    if (this.#held.size > 0 && this.#held.delete(stream)) this.beginTurn();
  }

  /** Those that hold the most are held first, because what one may hold shrinks with what is left for all. */
  #hasRoom(expectedBytes: number): boolean {
    const { outbound, sharedOutput } = this.#parts;
    const bytes = outbound.waitingBytes + expectedBytes;
    if (bytes <= this.#exemptBytes) return true;
    return bytes <= this.#maxBytes && bytes <= shareOfLeft * (sharedOutput.leftBytes - expectedBytes);
  }

  #hold(stream: Stream, expectedBytes: number): void {
    this.#held.set(stream, expectedBytes);
    if (this.#held.size > 1) return;
    if (!this.#hasRoom(0)) this.#report();
    this.#expectedBytes = Number.POSITIVE_INFINITY;
    this.#releaseNextTurn();
  }

  #report(): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { outbound, limitNotifier } = this.#parts;
    const detail = `requests wait: ${outbound.waitingBytes} bytes of responses are waiting for the peer to take them`;
    limitNotifier.notify("waiting_output", "paused", 0, detail);
  }

  /** Not at once: this may be called in the middle of sending. */
  #releaseNextTurn(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    setImmediate(() => this.#release());
  }

  #release(): void {
    this.#isReleasing = false;
    let admittedBytes = 0;
    for (const [stream, expectedBytes] of this.#held) {
      if (!this.#hasRoom(admittedBytes)) break;
      this.#held.delete(stream);
      admittedBytes += expectedBytes;
      stream.notifyAdmitted();
    }
    if (this.#held.size === 0) this.#expectedBytes = admittedBytes;
    else if (this.#hasRoom(0)) this.#releaseNextTurn();
    else this.#report();
  }
}
