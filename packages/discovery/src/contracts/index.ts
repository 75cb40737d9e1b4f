// What every registry must keep, as suites of node:test: run them against your own.

export { describeReadOnlyRegistryContract, type ReadOnlyRegistrySubject } from "./read-only-contract.ts";
export { describeRegistryContract, type RegistrySubject } from "./registry-contract.ts";
