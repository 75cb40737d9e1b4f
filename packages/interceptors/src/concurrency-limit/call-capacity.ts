/** A bounded number of calls that run and a bounded queue of those that wait, first come, first served. */
export class CallCapacity {
  private readonly max: number;
  private readonly maxWaiting: number;
  private taken = 0;
  /** In order of arrival; a call that gives up is removed. */
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

  /** Takes capacity for one call if there is any. */
  take(): boolean {
    if (this.taken >= this.max) return false;
    this.taken++;
    return true;
  }

  /** `onTurn` is called when capacity has been taken for the waiter. Returns how to leave the queue; undefined when it is full. */
  wait(onTurn: () => void): (() => void) | undefined {
    if (this.waiting.size >= this.maxWaiting) return undefined;
    this.waiting.add(onTurn);
    return () => this.waiting.delete(onTurn);
  }

  /** The capacity of a call that has ended goes to the one that has waited longest. */
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
