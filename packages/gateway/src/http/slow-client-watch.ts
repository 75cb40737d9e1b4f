import type { Socket } from "node:net";
import type { Http1Limits } from "./http1-limits.ts";

/** Time for a body to begin, and for what is left of one after its response. */
const bodyGraceMs = 10_000;
/** How long a request's body is still read, and dropped, after its response: clients read that only when they have sent all. */
const lingerMs = 30_000;

export const slowHead = "a request comes too slowly";
export const slowBody = "the request's body comes too slowly";
const stalled = "the client does not read the response";
const lingering = "the client does not end a request that was answered";
export const idle = "idle";

/** What a connection waits for. */
export interface ClientState {
  /** A request has been read, and its response is not complete. */
  readonly isServing: boolean;
  /** Nothing of a request's body is missing. */
  readonly isRequestComplete: boolean;
  /** Part of a head has come. */
  readonly isInHead: boolean;
  /** No more is read, because what has come is not used up. */
  readonly isPaused: boolean;
  /** The body is a stream, which may come as slowly as the client likes. */
  readonly maySendSlowly: boolean;
}

type WatchedSocket = Pick<Socket, "bytesRead" | "bytesWritten" | "writableLength">;
type Phase = "head" | "idle" | "serving" | "lingering";

/**
 * Finds clients that hold a connection without using it. Times count from the first look at what the connection waits for, so that requests
 * cost nothing here: all connections are looked at once a second.
 */
export class SlowClientWatch {
  readonly #socket: WatchedSocket;
  readonly #limits: Http1Limits;
  /** Requests so far: another one has begun, or ended, when this changes. */
  #turns = 0;
  #seenTurns = 0;
  #phase: Phase = "head";
  #sinceMs: number;
  #bytesReadThen = 0;
  #bytesWrittenThen = 0;
  #writtenSinceMs: number;

  constructor(socket: WatchedSocket, limits: Http1Limits, nowMs: number) {
    this.#socket = socket;
    this.#limits = limits;
    this.#sinceMs = nowMs;
    this.#writtenSinceMs = nowMs;
  }

  /** A request has begun, or its response is complete. */
  turn(): void {
    this.#turns++;
  }

  /** Why the client is to be cut off; undefined for one that may stay. */
  check(nowMs: number, state: ClientState): string | undefined {
    if (this.#isStalled(nowMs)) return stalled;
    const phase = phaseOf(state);
    const mayWait = phase === "serving" && (state.isRequestComplete || state.isPaused);
    // The first head counts from the connection: a client that sends nothing is not idle, but late.
    const isFirst = this.#turns === 0 && phase === "idle";
    if (!isFirst && (phase !== this.#phase || this.#turns !== this.#seenTurns || mayWait)) {
      this.#phase = phase;
      this.#seenTurns = this.#turns;
      this.#sinceMs = nowMs;
      this.#bytesReadThen = this.#socket.bytesRead;
      return undefined;
    }
    return this.#whyTooLate(nowMs - this.#sinceMs, this.#phase, state);
  }

  #whyTooLate(elapsedMs: number, phase: Phase, state: ClientState): string | undefined {
    switch (phase) {
      case "head":
        return elapsedMs > this.#limits.headTimeoutMs ? slowHead : undefined;
      case "idle":
        return elapsedMs > this.#limits.idleTimeoutMs ? idle : undefined;
      case "lingering":
        return elapsedMs > lingerMs ? lingering : undefined;
      case "serving":
        return this.#isSlowBody(elapsedMs, state) ? slowBody : undefined;
    }
  }

  #isSlowBody(elapsedMs: number, { maySendSlowly }: ClientState): boolean {
    if (elapsedMs <= bodyGraceMs || maySendSlowly) return false;
    const bytes = this.#socket.bytesRead - this.#bytesReadThen;
    return bytes < (this.#limits.minBodyBytesPerSecond * (elapsedMs - bodyGraceMs)) / 1000;
  }

  /** Something waits to be sent, and the client takes nothing of it. */
  #isStalled(nowMs: number): boolean {
    const { bytesWritten, writableLength } = this.#socket;
    if (bytesWritten === this.#bytesWrittenThen && writableLength > 0) {
      return nowMs - this.#writtenSinceMs > this.#limits.stallTimeoutMs;
    }
    this.#bytesWrittenThen = bytesWritten;
    this.#writtenSinceMs = nowMs;
    return false;
  }
}

function phaseOf({ isServing, isRequestComplete, isInHead }: ClientState): Phase {
  if (isServing) return "serving";
  if (!isRequestComplete) return "lingering";
  return isInHead ? "head" : "idle";
}
