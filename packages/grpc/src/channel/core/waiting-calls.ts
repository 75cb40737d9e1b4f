import { ProcessHold } from "../../call/process-hold.ts";
import type { Clock } from "../../time/clock.ts";
import type { Picker } from "../balancer/index.ts";
import { controlPlaneError } from "./control-plane-error.ts";
import { type CallWaiter, WaiterQueue } from "./waiter-queue.ts";

/** The calls of a channel that wait for a connection, and which of them gets one. They keep the process alive, except those that say otherwise. */
export class WaitingCalls {
  readonly #picker: () => Picker;
  readonly #queue = new WaiterQueue();
  #isServing = false;
  #hasToServeAgain = false;
  readonly #hold: ProcessHold;

  /** `picker` is read again for each call, because a call may change it. */
  constructor(clock: Clock, picker: () => Picker) {
    this.#hold = new ProcessHold(clock);
    this.#picker = picker;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Adds a call after the others. The caller must then call `serve` if the picker may have a connection for it. */
  add(waiter: CallWaiter): void {
    this.#queue.append(waiter);
    this.#holdProcess();
  }

  /** Takes a call out; one that does not wait is left alone. */
  remove(waiter: CallWaiter): void {
    this.#queue.remove(waiter);
    this.#holdProcess();
  }

  /** Takes out the one that has waited longest. */
  shift(): CallWaiter | undefined {
    const waiter = this.#queue.shift();
    this.#holdProcess();
    return waiter;
  }

  /** The service config has become known. */
  tellServiceConfig(): void {
    const queue = this.#queue;
    queue.startWalk();
    for (let waiter = queue.step(); waiter !== undefined; waiter = queue.step()) waiter.onServiceConfig();
  }

  /** The first resolution has ended, before anything else comes of it. */
  tellResolutionEnd(): void {
    const queue = this.#queue;
    queue.startWalk();
    for (let waiter = queue.step(); waiter !== undefined; waiter = queue.step()) waiter.onResolutionEnd();
  }

  /** Tries the waiting calls with the current picker. When a call that begins or fails calls it again during this, it starts over. */
  serve(): void {
    // Whenever a call ends its connection has room, and mostly no one waits for that.
    if (this.#queue.length === 0) return;
    if (this.#isServing) {
      this.#hasToServeAgain = true;
      return;
    }
    this.#isServing = true;
    try {
      do {
        this.#hasToServeAgain = false;
        this.#serveOnce();
      } while (this.#hasToServeAgain);
    } finally {
      this.#isServing = false;
    }
    this.#holdProcess();
  }

  #serveOnce(): void {
    const queue = this.#queue;
    queue.startWalk();
    for (let waiter = queue.step(); waiter !== undefined; waiter = queue.step()) {
      const picker = this.#picker();
      const result = picker.pick(waiter.pickInfo);
      if (result.kind === "drop" || (result.kind === "fail" && !waiter.waitForReady)) {
        queue.remove(waiter);
        waiter.onFail(controlPlaneError(result.createError()), result.kind === "drop");
        continue;
      }
      if (result.kind === "complete") {
        if (result.subchannel.connection?.canStartCall) {
          queue.remove(waiter);
          waiter.onPick(result);
          continue;
        }
        result.subchannel.ensureCapacity();
      }
      // A call with waitForReady does not decide for the calls after it without.
      if (result.kind !== "fail" && !picker.dependsOnCall) return;
    }
  }

  #holdProcess(): void {
    if (this.#queue.keepsProcessAlive) this.#hold.start();
    else this.#hold.stop();
  }
}
