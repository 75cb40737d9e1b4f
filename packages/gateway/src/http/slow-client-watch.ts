import type { Socket } from "node:net";
import type { Http1Limits } from "./http1-limits.ts";

/** How long a body may arrive at any speed. */
const bodyGraceMs = 10_000;
/** How long the rest of a request body is read and dropped after the response: some clients read the response only after they have sent everything. */
const lingerMs = 30_000;

export const slowHead = "request head too slow";
export const slowBody = "request body too slow";
const stalled = "the client does not read the response";
const lingering = "the client does not end its request after the response";
export const idle = "idle";

/** The state of a connection. */
export interface ClientState {
  /** Whether a request is being served. */
  readonly isServing: boolean;
  /** Whether the whole body of the request has been read. */
  readonly isRequestComplete: boolean;
  /** Whether part of a head has been read. */
  readonly isInHead: boolean;
  /** Whether reading is paused, because earlier bytes have not been used. */
  readonly isPaused: boolean;
  /** Whether the body is a stream, which may arrive at any speed. */
  readonly maySendSlowly: boolean;
}

type WatchedSocket = Pick<Socket, "bytesRead" | "bytesWritten" | "writableLength">;
type Phase = "head" | "idle" | "serving" | "lingering";

/**
 * Finds clients that hold a connection without using it. All connections are checked once a second. Times count from the first check that sees a
 * state, so that requests themselves have no cost.
 */
export class SlowClientWatch {
  readonly #socket: WatchedSocket;
  readonly #limits: Http1Limits;
  /** The number of starts and ends of requests so far. */
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

  /** Reports the start of a request, or the end of its response. */
  turn(): void {
    this.#turns++;
  }

  /** Returns why the connection must be closed; undefined if it may stay. */
  check(nowMs: number, state: ClientState): string | undefined {
    if (this.#isStalled(nowMs)) return stalled;
    const phase = phaseOf(state);
    const mayWait = phase === "serving" && (state.isRequestComplete || state.isPaused);
    // The time of the first head counts from the start of the connection: a client that sends nothing is late, not idle.
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

  /** Whether the client reads nothing of the pending output. */
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
