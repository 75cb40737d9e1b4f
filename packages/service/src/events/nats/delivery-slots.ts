import type { Clock } from "@tercel/grpc";

interface Waiter {
  readonly resolve: (hasSlot: boolean) => void;
  /** Stops the keep-alive of the waiting event. */
  readonly stop: () => void;
}

/** A third of the server's acknowledgement timeout. */
const keepAliveMs = 5000;

/** Limits the events that one member handles concurrently, over all partitions. */
export class DeliverySlots {
  #free: number;
  #isClosed = false;
  readonly #waiting: Waiter[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Waits for a slot. Resolves to false if the member leaves first. `keepAlive` is called while it waits. */
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
