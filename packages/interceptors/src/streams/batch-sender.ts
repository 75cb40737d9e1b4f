import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";

export const batchSenderOptions = {
  /** The maximum number of items in a batch. A full batch is sent at once. Default 1000. */
  maxItems: wholeNumber(1).or(1000),
  /** How long an item waits for others before the batch is sent. Default 100 ms. */
  maxDelayMs: wholeNumber(0).or(100),
  /** For tests. */
  clock: clockOption(),
};

export type BatchSenderOptions = OptionsOf<typeof batchSenderOptions>;

/** Accepts items one by one, and passes batches to the stream that iterates over it. */
export interface BatchSender<T> extends AsyncIterable<T[]> {
  /**
   * Adds an item. Resolves when there is room for it: await it, so that items are not produced faster than the stream reads them. Rejects
   * when the stream has ended, and with RESOURCE_EXHAUSTED when `maxItems` items already wait for room because callers did not await.
   */
  push(item: T): Promise<void>;
  /** Sends the waiting items now. Resolves when the stream has read them. */
  flush(): Promise<void>;
  /** Sends the waiting items, then ends the stream. Resolves when the stream has read them. */
  end(): Promise<void>;
  /** Ends the stream with an error, and drops the waiting items. */
  fail(error: unknown): void;
}

/**
 * Creates a sender that combines items into batches: a stream of batches costs a fraction of a stream of items.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
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
  /** Items that wait for room. */
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
        const message = `${this.maxItems} items already wait for room; await push() before the next`;
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
    // Each of two readers would get only some of the items.
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

  /** Called when the reader leaves the loop before the end. */
  return(): Promise<IteratorResult<T[]>> {
    this.fail(new ConnectError("the stream of batches was left", Code.Canceled));
    return Promise.resolve({ done: true, value: undefined });
  }

  private add(item: T): void {
    this.items.push(item);
    if (this.items.length >= this.maxItems) this.isDue = true;
    else if (this.items.length === 1) this.startTimer();
  }

  /** Passes a batch to the reader, if both are ready. */
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

  /** Items that were waiting for room at the flush belong to it, too. */
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
