import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { NotReachable, NotServing } from "../client/not-reachable.ts";
import type { StartError } from "../failure/start-error.ts";

/** The exit codes of all commands. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  warnings: 3,
  damage: 4,
  unreachable: 5,
  timeout: 6,
  destinationMissing: 10,
  locked: 11,
  secretWrong: 12,
  noSpace: 13,
  safety: 14,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A destructive command was not confirmed. */
export class NotConfirmed extends Error {}

/** An invalid value on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const codeOfReason: Readonly<Record<string, ExitCode>> = {
  DESTINATION_FOLDER_MISSING: exitCodes.destinationMissing,
  TARGET_FOLDER_MISSING: exitCodes.destinationMissing,
  REPOSITORY_MISSING: exitCodes.destinationMissing,
  REPOSITORY_UNREACHABLE: exitCodes.destinationMissing,
  REPOSITORY_LOCKED: exitCodes.locked,
  SECRET_UNUSABLE: exitCodes.secretWrong,
  SECRET_WRONG: exitCodes.secretWrong,
  NO_SPACE: exitCodes.noSpace,
  MEMBER_UNSAFE: exitCodes.safety,
  TARGET_NOT_EMPTY: exitCodes.safety,
  RETENTION_UNSAFE: exitCodes.safety,
  ARCHIVE_DAMAGED: exitCodes.damage,
};

const codeOfStatus: Partial<Record<Code, ExitCode>> = {
  [Code.DataLoss]: exitCodes.damage,
  [Code.Unavailable]: exitCodes.unreachable,
  [Code.DeadlineExceeded]: exitCodes.timeout,
  [Code.Unauthenticated]: exitCodes.secretWrong,
};

const codeOfStart: Readonly<Record<StartError["problem"], ExitCode>> = {
  config: exitCodes.usage,
  locked: exitCodes.locked,
  damaged: exitCodes.damage,
};

/** Errors of the daemon, by their names: a command would load their classes for nothing, and the daemon's part of the built program has its own. */
function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

/** Returns the exit code of a failed command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof NotConfirmed) return exitCodes.safety;
  if (isNamed(error, "UsageError") || isNamed(error, "ConfigError")) return exitCodes.usage;
  if (isNamed(error, "StartError")) return codeOfStart[(error as StartError).problem];
  if (error instanceof NotReachable || error instanceof NotServing) {
    const isLate = error instanceof NotReachable && (error.cause as ConnectError).code === Code.DeadlineExceeded;
    return isLate ? exitCodes.timeout : exitCodes.unreachable;
  }
  if (!(error instanceof ConnectError)) return exitCodes.failed;
  const reason = readErrorReason(error)?.reason ?? "";
  const ofReason = Object.hasOwn(codeOfReason, reason) ? codeOfReason[reason] : undefined;
  return ofReason ?? codeOfStatus[error.code] ?? exitCodes.failed;
}
