// The contracts of adapters, as suites of node:test: run them against your own.

export { type BrokerSubject, describeBrokerContract } from "./broker-contract.ts";
export { type DatabaseSubject, describeDatabaseContract } from "./database-contract.ts";
