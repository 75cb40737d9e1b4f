import { type Clock, systemClock } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { LruMap } from "../call/lru-map.ts";
import { type Limit, type RateLimitStore, type Verdict, windowSeconds } from "./limit.ts";

export interface MemoryStoreOptions {
  /**
   * Clients that are kept count of; beyond, those that were not seen lately begin again. Default 100,000, which take some
   * 20 MB.
   */
  maxKeys?: number;
  /** For tests. */
  clock?: Clock;
}

/** Counts that this process keeps, and no other. */
export interface MemoryStore extends RateLimitStore {
  /** Answers at once. */
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
  const where = "createMemoryStore";
  refuseUnknownOptions(where, options, ["maxKeys", "clock"]);
  checkWholeNumber(where, "maxKeys", options.maxKeys, 1, 10_000_000);
  const { maxKeys = 100_000, clock = systemClock } = options;
  const windows = new LruMap<string, Window>(maxKeys);
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
