/** The state of a key in a store. */
export type BeginResult =
  /** The key was free: the caller now owns it for the time of the lease. */
  | { readonly state: "begun" }
  /** Another owner is running the call. */
  | { readonly state: "running"; readonly fingerprint: string }
  /** The call has completed with this response. */
  | { readonly state: "done"; readonly fingerprint: string; readonly response: Uint8Array };

/**
 * A store of keys and responses. Each method is atomic, also between processes that share the store, and rejects when the store cannot be
 * reached. If several machines share a store, it must use its own clock, because theirs differ.
 *
 *     (nothing) ── begin ──► running, until the lease expires ── complete ──► done, until the ttl expires
 *         ▲                      │  renew extends the lease
 *         └────── release ───────┘
 */
export interface IdempotencyStore {
  /** Locks a free key for `leaseMs`, or returns the state of the key. `fingerprint` identifies the request. */
  begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult>;
  /** Extends the lease to `leaseMs` from now. Resolves with false if the owner has lost the key. */
  renew(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Stores the response for `ttlMs`. Resolves with false, and changes nothing, if the owner has lost the key. */
  complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean>;
  /** Removes the key, so that the next call runs. Does nothing if the owner has lost the key. */
  release(key: string, owner: string): Promise<void>;
}
