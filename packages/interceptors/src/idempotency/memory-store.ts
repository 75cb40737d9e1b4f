import type { Clock } from "@tercel/grpc";
import { resourceExhausted } from "@tercel/grpc/errors";
import { clockOption, type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import type { BeginResult, IdempotencyStore } from "./store.ts";

export const memoryIdempotencyOptions = {
  /** The maximum number of keys. The oldest response is dropped; if that many calls run, the next is rejected. Default 100,000. */
  maxKeys: wholeNumber(1).or(100_000),
  /** The maximum total size of the responses, plus 400 bytes for each. The oldest responses are dropped. Default 67,108,864 (64 MiB). */
  maxBytes: wholeNumber(1).or(64 * 1024 * 1024),
  /** For tests. */
  clock: clockOption(),
};

export type MemoryIdempotencyOptions = OptionsOf<typeof memoryIdempotencyOptions>;

interface Running {
  readonly fingerprint: string;
  readonly owner: string;
  untilMs: number;
}

interface Done {
  readonly fingerprint: string;
  readonly response: Uint8Array;
  readonly untilMs: number;
}

/** The approximate size of an entry in addition to its response: the key, the fingerprint and the objects. */
const entryBytes = 400;

/**
 * Creates a store in the memory of this process. It is lost when the process ends, and other instances do not share it.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createMemoryIdempotencyStore(options: MemoryIdempotencyOptions = {}): IdempotencyStore {
  const { maxKeys, maxBytes, clock } = readOptions("createMemoryIdempotencyStore", memoryIdempotencyOptions, options);
  return new MemoryStore(maxKeys, maxBytes, clock);
}

class MemoryStore implements IdempotencyStore {
  private readonly maxKeys: number;
  private readonly maxBytes: number;
  private readonly clock: Clock;
  private readonly running = new Map<string, Running>();
  /** In the order of completion, oldest first. */
  private readonly done = new Map<string, Done>();
  private bytes = 0;

  constructor(maxKeys: number, maxBytes: number, clock: Clock) {
    this.maxKeys = maxKeys;
    this.maxBytes = maxBytes;
    this.clock = clock;
  }

  async begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult> {
    const nowMs = this.clock.nowMs();
    const done = this.done.get(key);
    if (done !== undefined) {
      if (done.untilMs > nowMs) return { state: "done", fingerprint: done.fingerprint, response: done.response };
      this.forget(key, done);
    }
    const running = this.running.get(key);
    if (running !== undefined && running.untilMs > nowMs) return { state: "running", fingerprint: running.fingerprint };
    if (running === undefined) this.makeRoom(nowMs);
    this.running.set(key, { fingerprint, owner, untilMs: nowMs + leaseMs });
    return { state: "begun" };
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const held = this.heldBy(key, owner);
    if (held === undefined) return false;
    held.untilMs = this.clock.nowMs() + leaseMs;
    return true;
  }

  async complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean> {
    const held = this.heldBy(key, owner);
    if (held === undefined) return false;
    this.running.delete(key);
    const nowMs = this.clock.nowMs();
    this.bytes += response.length + entryBytes;
    this.done.set(key, { fingerprint: held.fingerprint, response, untilMs: nowMs + ttlMs });
    for (const [oldest, entry] of this.done) {
      if (this.bytes <= this.maxBytes && entry.untilMs > nowMs) break;
      this.forget(oldest, entry);
    }
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.heldBy(key, owner) !== undefined) this.running.delete(key);
  }

  /** An expired lease still belongs to its owner until another takes the key. */
  private heldBy(key: string, owner: string): Running | undefined {
    const held = this.running.get(key);
    return held?.owner === owner ? held : undefined;
  }

  private makeRoom(nowMs: number): void {
    if (this.running.size + this.done.size < this.maxKeys) return;
    for (const [key, entry] of this.done) {
      this.forget(key, entry);
      return;
    }
    for (const [key, entry] of this.running) {
      if (entry.untilMs > nowMs) continue;
      this.running.delete(key);
      return;
    }
    throw resourceExhausted({ message: "too many calls with idempotency keys run at once", retryAfterMs: 1000 });
  }

  private forget(key: string, entry: Done): void {
    this.done.delete(key);
    this.bytes -= entry.response.length + entryBytes;
  }
}
