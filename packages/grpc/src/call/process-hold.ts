import type { Clock } from "../time/clock.ts";

/** The longest that a timer takes; the hold starts another one when it passes. */
const holdMs = 0x7fff_ffff;

/** Keeps the process alive while a call waits: Node ends once only unreferenced sockets and timers are left. */
export class ProcessHold {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** May be repeated. */
  start(): void {
    this.#cancel ??= this.#clock.after(
      holdMs,
      () => {
        this.#cancel = undefined;
        this.start();
      },
      true,
    );
  }

  /** May be repeated. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
