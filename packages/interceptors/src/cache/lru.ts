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

/** What an entry costs next to key and value: the objects around them, about. */
const entryBytes = 200;

/** Values with an end, bounded in number and bytes; what was unused for longest goes first. */
export class Lru<V extends {}> {
  readonly #maxEntries: number;
  readonly #clock: Clock;
  /** Bounded by bytes alone: lru-cache allocates arrays of the largest number of entries at once, which may be far more than ever come. */
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
    // By the cache's own clock, which tests can move.
    if (found.untilMs > this.#clock.nowMs()) return found.value;
    this.#held.delete(key);
    return undefined;
  }

  /** What is larger than all that may be held is not kept. */
  set(key: string, value: V, valueBytes: number, ttlMs: number): void {
    const size = valueBytes + key.length + entryBytes;
    this.#held.set(key, { value, untilMs: this.#clock.nowMs() + ttlMs }, { size });
    while (this.#held.size > this.#maxEntries) this.#held.pop();
  }

  delete(key: string): void {
    this.#held.delete(key);
  }

  deletePrefix(prefix: string): void {
    // A copy: the cache cannot be changed while it is walked through.
    for (const key of [...this.#held.keys()]) if (key.startsWith(prefix)) this.#held.delete(key);
  }
}
