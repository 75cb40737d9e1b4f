/** A waiting call. */
export class WaitingCall {
  readonly sinceMs: number;
  readonly run: () => void;
  readonly refuse: (waitedMs: number) => void;
  older: WaitingCall | undefined = undefined;
  newer: WaitingCall | undefined = undefined;
  isWaiting = false;

  constructor(sinceMs: number, run: () => void, refuse: (waitedMs: number) => void) {
    this.sinceMs = sinceMs;
    this.run = run;
    this.refuse = refuse;
  }
}

export interface CallQueueSettings {
  /** How long a call may wait. If all calls have waited longer than `overloadedWaitMs` for this long, the queue is overloaded. */
  readonly maxWaitMs: number;
  /** How long a call may wait while the queue is overloaded. */
  readonly overloadedWaitMs: number;
}

/**
 * The waiting calls of one method, in FIFO order. If no call has been served quickly for `maxWaitMs`, this is overload, not a burst. Until it
 * is over, the newest call is served first and the others expire soon, so that the calls that are served are served quickly (Facebook's
 * adaptive LIFO with controlled delay, "Fail at Scale", ACM Queue 2015). Without overload the order is fair: with LIFO, callers that retry at
 * once would starve the others.
 */
export class CallQueue {
  readonly #settings: CallQueueSettings;
  #oldest: WaitingCall | undefined;
  #newest: WaitingCall | undefined;
  #length = 0;
  /** When the queue was last empty, or last served a call quickly. */
  #soonMs = 0;
  #isOverloaded = false;

  constructor(settings: CallQueueSettings) {
    this.#settings = settings;
  }

  get length(): number {
    return this.#length;
  }

  get isOverloaded(): boolean {
    return this.#isOverloaded;
  }

  push(call: WaitingCall): void {
    call.isWaiting = true;
    call.older = this.#newest;
    if (this.#newest === undefined) {
      this.#oldest = call;
      this.#soonMs = call.sinceMs;
    } else this.#newest.newer = call;
    this.#newest = call;
    this.#length++;
  }

  /** Removes a call, for example a cancelled one. */
  remove(call: WaitingCall): void {
    if (!call.isWaiting) return;
    call.isWaiting = false;
    if (call.older === undefined) this.#oldest = call.newer;
    else call.older.newer = call.newer;
    if (call.newer === undefined) this.#newest = call.older;
    else call.newer.older = call.older;
    call.older = undefined;
    call.newer = undefined;
    this.#length--;
    if (this.#length === 0) this.#isOverloaded = false;
  }

  /** Removes and returns the next call; undefined without one. */
  take(nowMs: number): WaitingCall | undefined {
    this.#look(nowMs);
    const call = this.#isOverloaded ? this.#newest : this.#oldest;
    if (call === undefined) return undefined;
    if (nowMs - call.sinceMs < this.#settings.overloadedWaitMs) this.#soonMs = nowMs;
    this.remove(call);
    return call;
  }

  /** Ends the overload if all waiting calls can be served quickly in FIFO order, at `rate` calls per millisecond. */
  reconsider(rate: number, nowMs: number): void {
    if (!this.#isOverloaded || this.#length > (rate * this.#settings.overloadedWaitMs) / 2) return;
    this.#isOverloaded = false;
    this.#soonMs = nowMs;
  }

  /** Removes and returns the call to drop for a new one; undefined unless the queue is overloaded. */
  takeOutdated(nowMs: number): WaitingCall | undefined {
    this.#look(nowMs);
    const call = this.#isOverloaded ? this.#oldest : undefined;
    if (call !== undefined) this.remove(call);
    return call;
  }

  /** Removes and returns the calls that have waited too long. */
  takeExpired(nowMs: number): WaitingCall[] {
    this.#look(nowMs);
    const expired: WaitingCall[] = [];
    const limitMs = this.#isOverloaded ? this.#settings.overloadedWaitMs : this.#settings.maxWaitMs;
    for (let call = this.#oldest; call !== undefined && nowMs - call.sinceMs >= limitMs; call = this.#oldest) {
      this.remove(call);
      expired.push(call);
    }
    return expired;
  }

  /** The next time at which `takeExpired` may return a call; Infinity without waiting calls. */
  get nextExpiryMs(): number {
    if (this.#oldest === undefined) return Number.POSITIVE_INFINITY;
    const { maxWaitMs, overloadedWaitMs } = this.#settings;
    const { sinceMs } = this.#oldest;
    return this.#isOverloaded ? sinceMs + overloadedWaitMs : Math.min(sinceMs, this.#soonMs) + maxWaitMs;
  }

  #look(nowMs: number): void {
    if (this.#length > 0 && nowMs - this.#soonMs >= this.#settings.maxWaitMs) this.#isOverloaded = true;
  }
}
