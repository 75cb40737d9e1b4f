// The contract of every registry as node:test suites: run them against your own.

export { describeReadOnlyRegistryContract, type ReadOnlyRegistrySubject } from "./read-only-contract.ts";
export { describeRegistryContract, type RegistrySubject } from "./registry-contract.ts";
