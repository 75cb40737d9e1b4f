import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";

export const batchSenderOptions = {
  /** A batch of so many items is sent at once. Default 1000. */
  maxItems: wholeNumber(1).or(1000),
  /** An item waits at most this long for others. Default 100 ms. */
  maxDelayMs: wholeNumber(0).or(100),
  /** For tests. */
  clock: clockOption(),
};

export type BatchSenderOptions = OptionsOf<typeof batchSenderOptions>;

/** Takes items one by one and gives batches to the one stream that reads it. */
export interface BatchSender<T> extends AsyncIterable<T[]> {
  /**
   * Resolves when there is room for another item; await it, so that items are produced no faster than the stream takes them. Rejects when
   * the stream has ended, or with RESOURCE_EXHAUSTED when `maxItems` items already wait for room because it was not awaited.
   */
  push(item: T): Promise<void>;
  /** Sends what is there without waiting for more. Resolves when the stream has taken it. */
  flush(): Promise<void>;
  /** Sends what is there, then ends the stream. Resolves when the stream has taken everything. */
  end(): Promise<void>;
  /** Ends the stream with an error; what is there is dropped. */
  fail(error: unknown): void;
}

/**
 * Makes one message of many items: a stream of batches costs a fraction of a stream of items.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createBatchSender<T>(options: BatchSenderOptions = {}): BatchSender<T> {
  const { maxItems, maxDelayMs, clock } = readOptions("createBatchSender", batchSenderOptions, options);
  return new Sender<T>(maxItems, maxDelayMs, clock);
}

interface Waiting<V> {
  resolve(value: V): void;
  reject(error: unknown): void;
}

class Sender<T> implements BatchSender<T>, AsyncIterator<T[]> {
  private readonly maxItems: number;
  private readonly maxDelayMs: number;
  private readonly clock: Clock;
  private items: T[] = [];
  /** Items for which there is no room yet. */
  private late: (Waiting<void> & { readonly item: T })[] = [];
  private isDue = false;
  private isEnded = false;
  private hasReader = false;
  private failure: { readonly error: unknown } | undefined = undefined;
  private reader: Waiting<IteratorResult<T[]>> | undefined = undefined;
  private flushed: Waiting<void>[] = [];
  private cancelTimer: (() => void) | undefined = undefined;

  constructor(maxItems: number, maxDelayMs: number, clock: Clock) {
    this.maxItems = maxItems;
    this.maxDelayMs = maxDelayMs;
    this.clock = clock;
  }

  push(item: T): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    if (this.isEnded) return Promise.reject(new ConnectError("the batches have ended", Code.FailedPrecondition));
    if (this.items.length >= this.maxItems) {
      if (this.late.length >= this.maxItems) {
        const message = `${this.maxItems} items wait for room already; await push() before the next`;
        return Promise.reject(new ConnectError(message, Code.ResourceExhausted));
      }
      return new Promise((resolve, reject) => this.late.push({ item, resolve, reject }));
    }
    this.add(item);
    this.give();
    return Promise.resolve();
  }

  flush(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    if (this.items.length === 0) return Promise.resolve();
    const taken = new Promise<void>((resolve, reject) => this.flushed.push({ resolve, reject }));
    this.isDue = true;
    this.give();
    return taken;
  }

  end(): Promise<void> {
    this.isEnded = true;
    const taken = this.flush();
    this.give();
    return taken;
  }

  fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.stopTimer();
    this.items = [];
    for (const waiting of [...this.late, ...this.flushed]) waiting.reject(error);
    this.late = [];
    this.flushed = [];
    this.reader?.reject(error);
    this.reader = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T[]> {
    // Two readers would share the items between them.
    if (this.hasReader) throw new TypeError("a batch sender feeds one stream; this one has a reader already");
    this.hasReader = true;
    return this;
  }

  next(): Promise<IteratorResult<T[]>> {
    if (this.failure !== undefined) return Promise.reject(this.failure.error);
    return new Promise((resolve, reject) => {
      this.reader = { resolve, reject };
      this.give();
    });
  }

  /** The stream was left before its end. */
  return(): Promise<IteratorResult<T[]>> {
    this.fail(new ConnectError("the stream of batches was left", Code.Canceled));
    return Promise.resolve({ done: true, value: undefined });
  }

  private add(item: T): void {
    this.items.push(item);
    if (this.items.length >= this.maxItems) this.isDue = true;
    else if (this.items.length === 1) this.startTimer();
  }

  /** Gives the reader what is due, if there is a reader. */
  private give(): void {
    if (this.reader === undefined) return;
    const { reader } = this;
    if (this.items.length === 0) {
      if (!this.isEnded) return;
      this.reader = undefined;
      reader.resolve({ done: true, value: undefined });
      return;
    }
    if (!this.isDue && !this.isEnded) return;
    const batch = this.items;
    this.reader = undefined;
    this.items = [];
    this.isDue = false;
    this.stopTimer();
    reader.resolve({ done: false, value: batch });
    this.admitLate();
    this.settleFlushes();
  }

  private admitLate(): void {
    for (const { item, resolve } of this.late.splice(0, this.maxItems)) {
      this.add(item);
      resolve();
    }
  }

  /** Late items were pushed before the flush as well. */
  private settleFlushes(): void {
    if (this.flushed.length === 0) return;
    if (this.items.length > 0) {
      this.isDue = true;
      return;
    }
    for (const { resolve } of this.flushed.splice(0)) resolve();
  }

  private startTimer(): void {
    this.cancelTimer = this.clock.after(this.maxDelayMs, () => {
      this.cancelTimer = undefined;
      this.isDue = true;
      this.give();
    });
  }

  private stopTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }
}
