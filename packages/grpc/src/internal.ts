// What the packages of this repository share. No promise is made about it: it may change in any version.

export { ProcessHold } from "./call/process-hold.ts";
export { type FollowedFiles, type FollowFilesOptions, followFiles } from "./files/follow-files.ts";
export { withNamedExports } from "./files/named-exports.ts";
export { hookChain } from "./hooks/hooked-interceptor.ts";
export { LinePace } from "./logging/line-pace.ts";
export { logLine } from "./logging/log.ts";
export { printable } from "./logging/printable.ts";
export { containRejection, reportLogFailure, safeLog } from "./logging/safe-log.ts";
export { thrownMessage, thrownText } from "./logging/thrown-text.ts";
export { workerNumber, workerVariable } from "./logging/worker-number.ts";
export { checkWholeNumber, nearestName, refuseUnknownOptions } from "./options/check-options.ts";
export { isAuthority } from "./protocol/authority.ts";
export { statusNames } from "./protocol/status.ts";
export {
  type AskParent,
  connectShared,
  createShared,
  type MergedParts,
  type Shared,
  type SharedOptions,
  type WorkerCounts,
} from "./server/shared.ts";
export { pause } from "./time/clock.ts";
