import { systemClock } from "./clock.ts";

/**
 * Work on messages that the streams of a server or a channel do together before they let the event loop continue: that many small
 * messages. About a millisecond's work, and so much that the turn it costs does not show.
 */
const workPerTurn = 1024;

const workPerMs = workPerTurn;

/** Bytes of a message that are as much work as a small message. */
const bytesShift = 10;

/** A small compressed message may be inflated to 64 KiB on the spot, which takes as long as that many small messages. */
const compressedWork = 128;

/**
 * From here on a message's work is the time that it takes, because bytes say little about it: 1 MiB may be one field, of which the message
 * is a view, or half a million fields. Below, reading the clock would cost more than it saves.
 */
const minTimedBytes = 16_384;

/** How much work a message probably is; one that is small and not compressed counts as one. */
export function workOfMessage(bytes: number, compressed: boolean): number {
  return 1 + (bytes >>> bytesShift) + (compressed ? compressedWork : 0);
}

/**
 * Keeps streams that never wait from having the event loop for themselves: what a generator yields and what a reader takes come by
 * microtasks alone, and a window has room for hundreds of thousands of tiny messages. Without this, timers and other connections would
 * wait until it is full, or empty.
 */
export class TurnShare {
  readonly #nowMs: () => number;
  #left = workPerTurn;
  #nextTurn: Promise<void> | undefined = undefined;

  /** @param nowMs The time, never 0. Default: the system's. */
  constructor(nowMs: () => number = systemClock.nowMs) {
    this.#nowMs = nowMs;
  }

  /** Nothing is left: continue when `renewed` resolves. */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** A message of `bytes` is decoded next. Returns the value to pass to `made` after that. */
  making(bytes: number, compressed: boolean): number {
    if (compressed || bytes >= minTimedBytes) return this.#nowMs();
    this.#left -= workOfMessage(bytes, false);
    return 0;
  }

  /** It was decoded, or failed, or another turn continues with it. */
  made(beganMs: number): void {
    if (beganMs !== 0) this.#left -= 1 + Math.round((this.#nowMs() - beganMs) * workPerMs);
  }

  /** Resolves in a later turn, with a share that is whole again. */
  renewed(): Promise<void> {
    this.#nextTurn ??= nextTurn().then(() => {
      this.#left = workPerTurn;
      this.#nextTurn = undefined;
    });
    return this.#nextTurn;
  }

  /** Call for each message that was sent. A promise: the share is used up, continue when it resolves. */
  take(): Promise<void> | undefined {
    return --this.#left > 0 ? undefined : this.renewed();
  }
}

/** Resolves in a later turn of the event loop: timers and sockets come first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
