/** A bounded number of running calls and a bounded FIFO queue of waiting calls. */
export class CallCapacity {
  private readonly max: number;
  private readonly maxWaiting: number;
  private taken = 0;
  /** In the order of arrival. */
  private readonly waiting = new Set<() => void>();

  constructor(max: number, maxWaiting: number) {
    this.max = max;
    this.maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.taken;
  }

  get queued(): number {
    return this.waiting.size;
  }

  get isUnused(): boolean {
    return this.taken === 0;
  }

  /** Takes capacity for one call. Returns false if none is free. */
  take(): boolean {
    if (this.taken >= this.max) return false;
    this.taken++;
    return true;
  }

  /** Queues a call. `onTurn` is called when it has got capacity. Returns a function that leaves the queue; undefined if the queue is full. */
  wait(onTurn: () => void): (() => void) | undefined {
    if (this.waiting.size >= this.maxWaiting) return undefined;
    this.waiting.add(onTurn);
    return () => this.waiting.delete(onTurn);
  }

  /** Returns the capacity of a call that has ended, to the call that has waited longest. */
  give(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.taken--;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
