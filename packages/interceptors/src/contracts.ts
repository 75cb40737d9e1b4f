// The contracts of the stores as node:test suites: run them against your own.

export { type CacheStoreSubject, describeCacheStoreContract } from "./cache/store-contract.ts";
export { describeIdempotencyStoreContract, type IdempotencyStoreSubject } from "./idempotency/store-contract.ts";
