import type { Clock } from "@tercel/grpc";

interface Waiter {
  readonly resolve: (hasSlot: boolean) => void;
  /** Stops saying that the event is still waited with. */
  readonly stop: () => void;
}

/** A third of what the server waits for a sign of life. */
const keepAliveMs = 5000;

/** Bounds the events that one member handles at a time, over all partitions. */
export class DeliverySlots {
  #free: number;
  #isClosed = false;
  readonly #waiting: Waiter[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** True when it is the caller's turn; false when the member leaves before that. `keepAlive` is called while it waits. */
  acquire(clock: Clock, keepAlive: () => void): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const tick = (): void => {
        keepAlive();
        cancel = clock.after(keepAliveMs, tick);
      };
      let cancel = clock.after(keepAliveMs, tick);
      this.#waiting.push({ resolve, stop: () => cancel() });
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free++;
      return;
    }
    next.stop();
    next.resolve(true);
  }

  close(): void {
    this.#isClosed = true;
    for (const { stop, resolve } of this.#waiting.splice(0)) {
      stop();
      resolve(false);
    }
  }
}
