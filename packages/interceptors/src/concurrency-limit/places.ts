/** A bounded number of places and a bounded line of those who wait for one, first come, first served. */
export class Places {
  private readonly max: number;
  private readonly maxWaiting: number;
  private taken = 0;
  /** In order of coming; whoever leaves is taken out. */
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

  /** Takes a place if one is free. */
  take(): boolean {
    if (this.taken >= this.max) return false;
    this.taken++;
    return true;
  }

  /** `onPlace` is called when a place has been taken for the waiter. Returns how to leave the line; undefined when it is full. */
  wait(onPlace: () => void): (() => void) | undefined {
    if (this.waiting.size >= this.maxWaiting) return undefined;
    this.waiting.add(onPlace);
    return () => this.waiting.delete(onPlace);
  }

  /** The place goes to whoever has waited longest. */
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
