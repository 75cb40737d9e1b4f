import type { Clock } from "@tercel/grpc";
import { LRUCache } from "lru-cache";

export interface LruLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Held<V> {
  readonly value: V;
  readonly untilMs: number;
}

/** The approximate size of an entry's objects, in addition to its key and value. */
const entryBytes = 200;

/** A cache of values with an expiry, bounded in number and bytes. The least recently used value is dropped first. */
export class Lru<V extends {}> {
  readonly #maxEntries: number;
  readonly #clock: Clock;
  /** Bounded by bytes only: with a maximum number of entries, lru-cache would allocate arrays of that size at once. */
  readonly #held: LRUCache<string, Held<V>>;

  constructor({ maxEntries, maxBytes }: LruLimits, clock: Clock) {
    this.#maxEntries = maxEntries;
    this.#clock = clock;
    this.#held = new LRUCache({ maxSize: maxBytes, maxEntrySize: maxBytes });
  }

  get size(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#held.calculatedSize;
  }

  get(key: string): V | undefined {
    const found = this.#held.get(key);
    if (found === undefined) return undefined;
    // Uses the configured clock, which tests control.
    if (found.untilMs > this.#clock.nowMs()) return found.value;
    this.#held.delete(key);
    return undefined;
  }

  /** Stores a value. A value that is larger than `maxBytes` is not stored. */
  set(key: string, value: V, valueBytes: number, ttlMs: number): void {
    const size = valueBytes + key.length + entryBytes;
    this.#held.set(key, { value, untilMs: this.#clock.nowMs() + ttlMs }, { size });
    while (this.#held.size > this.#maxEntries) this.#held.pop();
  }

  delete(key: string): void {
    this.#held.delete(key);
  }

  deletePrefix(prefix: string): void {
    // Copies the keys, because the cache must not change during the iteration.
    for (const key of [...this.#held.keys()]) if (key.startsWith(prefix)) this.#held.delete(key);
  }
}
