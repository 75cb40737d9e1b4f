import type { Clock } from "../../time/clock.ts";

/**
 * Reports when a channel has not had a call for a while. One timer serves all calls: a call's end only notes the time, and the
 * timer, when it fires, waits for what is left.
 */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onIdle: () => void;
  #openCalls = 0;
  #quietSinceMs = 0;
  #cancel: (() => void) | undefined;

  /** A timeout of 0 or Infinity switches idle mode off. */
  constructor(clock: Clock, timeoutMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
  }

  callStarted(): void {
    this.#openCalls += 1;
  }

  callEnded(): void {
    this.#openCalls -= 1;
    if (this.#openCalls === 0) this.#quietSinceMs = this.#clock.nowMs();
  }

  /** The channel has left idle mode. */
  start(): void {
    if (this.#timeoutMs === 0 || this.#timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#quietSinceMs = this.#clock.nowMs();
    this.#arm(this.#timeoutMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(delayMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => this.#check());
  }

  #check(): void {
    this.#cancel = undefined;
    if (this.#openCalls > 0) {
      this.#arm(this.#timeoutMs);
      return;
    }
    const leftMs = this.#timeoutMs - (this.#clock.nowMs() - this.#quietSinceMs);
    if (leftMs > 0) this.#arm(leftMs);
    else this.#onIdle();
  }
}
