import { LRUCache } from "lru-cache";
import { clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import { type Limit, type RateLimitStore, type Verdict, windowSeconds } from "./limit.ts";

export const memoryStoreOptions = {
  /** The maximum number of keys. The least recently used count is dropped. Default 100,000, which use about 20 MB. */
  maxKeys: wholeNumber(1, 10_000_000).or(100_000),
  /** For tests. */
  clock: clockOption(),
};

export type MemoryStoreOptions = OptionsOf<typeof memoryStoreOptions>;

/** A store of call counts in the memory of this process. */
export interface MemoryStore extends RateLimitStore {
  /** Counts one call, synchronously. */
  take(key: string, limit: Limit): Verdict;
  /** The current number of keys. */
  readonly size: number;
}

interface Window {
  count: number;
  readonly endsAtMs: number;
}

/**
 * Creates a store in memory, for a single process or for limits per process. It has no timers: an ended window is replaced at the client's next
 * call, or dropped.
 *
 * @throws TypeError or RangeError for an invalid option
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxKeys, clock } = readOptions("createMemoryStore", memoryStoreOptions, options);
  // `maxSize`, because `max` would allocate the space for all keys at once.
  const windows = new LRUCache<string, Window>({ maxSize: maxKeys, sizeCalculation: () => 1 });
  return {
    get size() {
      return windows.size;
    },
    take(key, { requests, per }) {
      const nowMs = clock.nowMs();
      let window = windows.get(key);
      if (window === undefined || nowMs >= window.endsAtMs) {
        window = { count: 0, endsAtMs: nowMs + windowSeconds[per] * 1000 };
        windows.set(key, window);
      }
      const isAllowed = window.count < requests;
      if (isAllowed) window.count++;
      return { isAllowed, retryAfterMs: window.endsAtMs - nowMs };
    },
  };
}
