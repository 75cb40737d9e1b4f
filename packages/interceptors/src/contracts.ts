// What every adapter must keep, as suites of node:test: run them against your own.

export { type CacheStoreSubject, describeCacheStoreContract } from "./cache/store-contract.ts";
export { describeIdempotencyStoreContract, type IdempotencyStoreSubject } from "./idempotency/store-contract.ts";
