import { createHmac } from "node:crypto";
import type { IdempotencyStore } from "@tercel/interceptors/idempotency";

/**
 * An idempotency store that keeps the fingerprints of requests under a key. A fingerprint is a plain digest of a request, and that
 * of CreateUser holds a password: without the key, whoever gets hold of the file could try passwords a million times faster than
 * with the hashes that the users' table has.
 */
export function createKeyedIdempotencyStore(store: IdempotencyStore, key: Uint8Array): IdempotencyStore {
  const keyed = (fingerprint: string) => createHmac("sha256", key).update(fingerprint).digest("base64url");
  return {
    async begin(id, fingerprint, owner, leaseMs) {
      const stored = keyed(fingerprint);
      const begun = await store.begin(id, stored, owner, leaseMs);
      // The same request is told by its own fingerprint; of another one it is enough that it differs.
      return begun.state !== "begun" && begun.fingerprint === stored ? { ...begun, fingerprint } : begun;
    },
    renew: (id, owner, leaseMs) => store.renew(id, owner, leaseMs),
    complete: (id, owner, answer, ttlMs) => store.complete(id, owner, answer, ttlMs),
    release: (id, owner) => store.release(id, owner),
  };
}
