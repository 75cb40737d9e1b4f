// The client library.
export { ConfigError } from "@tercel/service/config";
export type { BackupInput, BackupResult, BackupUpdate, OnBackupProgress } from "./backup-to-end.ts";
export { connect, type WimGuard, type WimGuardOptions } from "./connect.ts";
export { NotReachable, NotServing } from "./not-reachable.ts";
