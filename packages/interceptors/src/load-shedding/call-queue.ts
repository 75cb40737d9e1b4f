/** A call that waits for its turn. */
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
  /** How long a call may wait. A queue in which every call has waited for longer than `overloadedWaitMs` for this long is overloaded. */
  readonly maxWaitMs: number;
  /** How long a call may wait while the queue is overloaded. */
  readonly overloadedWaitMs: number;
}

/**
 * The calls of one method that wait, the first come first served. When no call has been served soon for `maxWaitMs`, there is more work than
 * can be done, not a burst: until that is over the newest is served first and the others give up soon, so that those who are
 * served are served quickly (Facebook's adaptive LIFO with controlled delay, "Fail at Scale", ACM Queue 2015). As long as waits are short
 * the order stays fair: with the newest first, callers that come back at once would keep the others out.
 */
export class CallQueue {
  readonly #settings: CallQueueSettings;
  #oldest: WaitingCall | undefined;
  #newest: WaitingCall | undefined;
  #length = 0;
  /** When the queue was last empty, or served a call soon. */
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

  /** A call that no longer waits, such as a cancelled one. */
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

  /** The call whose turn it is; it has left the queue. Undefined when no call waits. */
  take(nowMs: number): WaitingCall | undefined {
    this.#look(nowMs);
    const call = this.#isOverloaded ? this.#newest : this.#oldest;
    if (call === undefined) return undefined;
    if (nowMs - call.sinceMs < this.#settings.overloadedWaitMs) this.#soonMs = nowMs;
    this.remove(call);
    return call;
  }

  /** The overload is over when those who wait can be served soon in their order, at `rate` calls a millisecond. */
  reconsider(rate: number, nowMs: number): void {
    if (!this.#isOverloaded || this.#length > (rate * this.#settings.overloadedWaitMs) / 2) return;
    this.#isOverloaded = false;
    this.#soonMs = nowMs;
  }

  /** The call that gives way to a new one when the room is full; it has left the queue. Undefined while those who came first go first. */
  takeOutdated(nowMs: number): WaitingCall | undefined {
    this.#look(nowMs);
    const call = this.#isOverloaded ? this.#oldest : undefined;
    if (call !== undefined) this.remove(call);
    return call;
  }

  /** The calls that have waited for too long; they have left the queue. */
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

  /** When `takeExpired` has something to do; infinite when no call waits. */
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
