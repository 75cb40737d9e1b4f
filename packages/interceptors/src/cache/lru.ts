import type { Clock } from "@tercel/grpc";

export interface LruLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Held<V> {
  readonly value: V;
  readonly bytes: number;
  readonly untilMs: number;
}

/** What an entry costs next to key and value: the objects around them, about. */
const entryBytes = 200;

/** Values with an end, bounded in number and bytes; what was unused for longest goes first. */
export class Lru<V> {
  private readonly limits: LruLimits;
  private readonly clock: Clock;
  /** In order of use, so that the first was unused for longest. */
  private readonly held = new Map<string, Held<V>>();
  private heldBytes = 0;

  constructor(limits: LruLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  get size(): number {
    return this.held.size;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  get(key: string): V | undefined {
    const found = this.held.get(key);
    if (found === undefined) return undefined;
    if (found.untilMs <= this.clock.nowMs()) {
      this.delete(key);
      return undefined;
    }
    this.held.delete(key);
    this.held.set(key, found);
    return found.value;
  }

  /** What is larger than all that may be held is not kept. */
  set(key: string, value: V, valueBytes: number, ttlMs: number): void {
    this.delete(key);
    const bytes = valueBytes + key.length + entryBytes;
    const { maxBytes, maxEntries } = this.limits;
    if (bytes > maxBytes) return;
    this.held.set(key, { value, bytes, untilMs: this.clock.nowMs() + ttlMs });
    this.heldBytes += bytes;
    for (const oldest of this.held.keys()) {
      if (this.held.size <= maxEntries && this.heldBytes <= maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const found = this.held.get(key);
    if (found === undefined) return;
    this.held.delete(key);
    this.heldBytes -= found.bytes;
  }

  deletePrefix(prefix: string): void {
    for (const key of this.held.keys()) if (key.startsWith(prefix)) this.delete(key);
  }
}
