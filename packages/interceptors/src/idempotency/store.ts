/** What a store found under a key. */
export type BeginResult =
  /** Nothing: the key is now held by the owner who asked, for the time of the lease. */
  | { readonly state: "begun" }
  /** Another instance is running the call. */
  | { readonly state: "running"; readonly fingerprint: string }
  /** The response that was given. */
  | { readonly state: "done"; readonly fingerprint: string; readonly response: Uint8Array };

/**
 * Where keys and responses are kept. Each method is atomic, also against other processes that share the store, and rejects when the
 * store cannot be reached. Times are the store's own where several machines share it, because their clocks differ.
 *
 *     (nothing) ── begin ──► running, until the lease is over ── complete ──► done, until the ttl is over
 *         ▲                      │  renew prolongs the lease
 *         └────── release ───────┘
 */
export interface IdempotencyStore {
  /** Takes the key for `leaseMs` if no one has it, or returns what is stored. `fingerprint` identifies the request. */
  begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult>;
  /** Prolongs the lease to `leaseMs` from now. False when the owner no longer holds the key. */
  renew(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Keeps the response for `ttlMs`. False when the owner no longer holds the key, and then nothing changes. */
  complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean>;
  /** Forgets the key, so that the next call runs. Does nothing when the owner no longer holds it. */
  release(key: string, owner: string): Promise<void>;
}
