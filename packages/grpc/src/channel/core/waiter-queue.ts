import type { ConnectError } from "@connectrpc/connect";
import type { PickInfo, PickResult } from "../balancer/index.ts";

/** A picker's choice of a subchannel. */
export type CompletePick = Extract<PickResult, { readonly kind: "complete" }>;

/**
 * A call that waits for a connection. It is its own entry in the queue, so that leaving takes constant time. Exactly one of `onPick` and `onFail` is called, once, unless it is removed before. No method may throw.
 */
export interface CallWaiter {
  /** May change while it waits, with the service config. */
  waitForReady: boolean;
  /** Whether the process must not end while it waits. Does not change. */
  readonly keepsProcessAlive: boolean;
  /** For policies that read the call; undefined where none does. */
  readonly pickInfo: PickInfo | undefined;
  /** The subchannel's connection has a place for the call, which has to take it before it returns. */
  onPick(pick: CompletePick): void;
  /** `wasDropped`: the balancer has said that the call is not to be tried again (`drop`). */
  onFail(error: ConnectError, wasDropped: boolean): void;
  /** The name was resolved while the call waited, or could not be. Besides the other two, and before them. */
  onResolutionEnd(): void;
  /** The service config has become known while the call waited. Besides the other two; it may leave the queue. */
  onServiceConfig(): void;
  /** The three fields below belong to the queue. They start as undefined. */
  queue: WaiterQueue | undefined;
  previousWaiter: CallWaiter | undefined;
  nextWaiter: CallWaiter | undefined;
}

/** Waiting calls, first come first served; a doubly linked list through the waiters themselves. */
export class WaiterQueue {
  #first: CallWaiter | undefined;
  #last: CallWaiter | undefined;
  /** The waiter that `step` returns next. Moves on when that one is removed, so that a walk survives any removal. */
  #cursor: CallWaiter | undefined;
  #length = 0;
  /** Those that keep the process alive. */
  #keeping = 0;

  get keepsProcessAlive(): boolean {
    return this.#keeping > 0;
  }

  get length(): number {
    return this.#length;
  }

  append(waiter: CallWaiter): void {
    waiter.queue = this;
    waiter.previousWaiter = this.#last;
    waiter.nextWaiter = undefined;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.nextWaiter = waiter;
    this.#last = waiter;
    this.#length += 1;
    if (waiter.keepsProcessAlive) this.#keeping += 1;
  }

  /** Takes a waiter out; one that is not in this queue is left alone. */
  remove(waiter: CallWaiter): void {
    if (waiter.queue !== this) return;
    const { previousWaiter, nextWaiter } = waiter;
    if (this.#cursor === waiter) this.#cursor = nextWaiter;
    if (previousWaiter === undefined) this.#first = nextWaiter;
    else previousWaiter.nextWaiter = nextWaiter;
    if (nextWaiter === undefined) this.#last = previousWaiter;
    else nextWaiter.previousWaiter = previousWaiter;
    waiter.queue = undefined;
    waiter.previousWaiter = undefined;
    waiter.nextWaiter = undefined;
    this.#length -= 1;
    if (waiter.keepsProcessAlive) this.#keeping -= 1;
  }

  /** Takes out the first waiter. */
  shift(): CallWaiter | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Begins a walk at the first waiter. There is one walk at a time. */
  startWalk(): void {
    this.#cursor = this.#first;
  }

  /** The next waiter of the walk, which stays in the queue; undefined at the end. */
  step(): CallWaiter | undefined {
    const waiter = this.#cursor;
    this.#cursor = waiter?.nextWaiter;
    return waiter;
  }
}
