import { LRUCache } from "lru-cache";
import { clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import { type Limit, type RateLimitStore, type Verdict, windowSeconds } from "./limit.ts";

export const memoryStoreOptions = {
  /** Clients that are counted; beyond, those that were unused for longest begin again. Default 100,000, which take some 20 MB. */
  maxKeys: wholeNumber(1, 10_000_000).or(100_000),
  /** For tests. */
  clock: clockOption(),
};

export type MemoryStoreOptions = OptionsOf<typeof memoryStoreOptions>;

/** Counts that this process keeps, and no other. */
export interface MemoryStore extends RateLimitStore {
  /** Returns at once. */
  take(key: string, limit: Limit): Verdict;
  readonly size: number;
}

interface Window {
  count: number;
  readonly endsAtMs: number;
}

/**
 * Counts in memory: for one process, or a limit that holds for each. Without timers: a window that has ended is found to have
 * ended when its client calls again, or pushed out.
 *
 * @throws TypeError or RangeError for an option that is wrong
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxKeys, clock } = readOptions("createMemoryStore", memoryStoreOptions, options);
  // By size, and not by `max`: that would allocate the space of all clients at once.
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
