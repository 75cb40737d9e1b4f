import { Code } from "@connectrpc/connect";

/** The status of each reason. A reason is what machines read: `reason` of google.rpc.ErrorInfo, domain `wimguard`. */
export const statusOfReason = {
  FIELD_REQUIRED: Code.InvalidArgument,
  FIELD_INVALID: Code.InvalidArgument,
  COMPRESSION_UNKNOWN: Code.InvalidArgument,
  PATH_INVALID: Code.InvalidArgument,
  NAME_UNSUPPORTED: Code.InvalidArgument,
  SOURCE_NOT_FOLDER: Code.InvalidArgument,
  ARCHIVE_UNKNOWN: Code.InvalidArgument,
  SOURCE_NOT_FOUND: Code.NotFound,
  BACKUP_NOT_FOUND: Code.NotFound,
  SNAPSHOT_NOT_FOUND: Code.NotFound,
  RESTORE_NOT_FOUND: Code.NotFound,
  RUN_NOT_FOUND: Code.NotFound,
  CRON_INVALID: Code.InvalidArgument,
  ENV_NOT_FOUND: Code.NotFound,
  ITEM_NOT_FOUND: Code.NotFound,
  ARCHIVE_GONE: Code.NotFound,
  PATH_NOT_IN_ARCHIVE: Code.NotFound,
  PATH_OUTSIDE_ROOTS: Code.PermissionDenied,
  UNREADABLE: Code.PermissionDenied,
  DESTINATION_EXISTS: Code.AlreadyExists,
  DESTINATION_BUSY: Code.AlreadyExists,
  ARCHIVE_KNOWN: Code.AlreadyExists,
  NAME_TAKEN: Code.AlreadyExists,
  REQUEST_ID_REUSED: Code.AlreadyExists,
  DESTINATION_IS_FOLDER: Code.FailedPrecondition,
  DESTINATION_FOLDER_MISSING: Code.FailedPrecondition,
  ENGINE_MISSING: Code.FailedPrecondition,
  REPOSITORY_MISSING: Code.FailedPrecondition,
  SECRET_UNUSABLE: Code.FailedPrecondition,
  SECRET_WRONG: Code.FailedPrecondition,
  BACKUP_NOT_COMPLETED: Code.FailedPrecondition,
  BACKUP_IN_USE: Code.FailedPrecondition,
  SNAPSHOT_PINNED: Code.FailedPrecondition,
  ENV_IN_USE: Code.FailedPrecondition,
  ARCHIVE_REPLACED: Code.FailedPrecondition,
  TARGET_NOT_EMPTY: Code.FailedPrecondition,
  TARGET_FOLDER_MISSING: Code.FailedPrecondition,
  MEMBER_UNSAFE: Code.FailedPrecondition,
  RETENTION_UNSAFE: Code.FailedPrecondition,
  COMMAND_FAILED: Code.FailedPrecondition,
  ETAG_MISMATCH: Code.Aborted,
  REPOSITORY_LOCKED: Code.Aborted,
  NO_SPACE: Code.ResourceExhausted,
  QUEUE_FULL: Code.ResourceExhausted,
  ARCHIVE_DAMAGED: Code.DataLoss,
  ENGINE_DIED: Code.Internal,
  IO_FAILED: Code.Internal,
  NOT_SUPPORTED: Code.Unimplemented,
  STOPPING: Code.Unavailable,
  REPOSITORY_UNREACHABLE: Code.Unavailable,
  CANCELLED: Code.Canceled,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
} as const satisfies Record<string, Code>;

export type FailureReason = keyof typeof statusOfReason;

/** Why something failed, as plain data: it passes between threads and into the catalogue. */
export interface Failure {
  readonly reason: FailureReason;
  /** What failed, where, why, and what to do: lower case, no full stop. */
  readonly message: string;
  /** The field of the request that is wrong. */
  readonly field?: string;
  readonly path?: string;
  readonly engine?: string;
  /** The backup or restore that the failure is about. */
  readonly uuid?: string;
  /** What helps, if the message does not say so. */
  readonly remedy?: string;
  readonly retryAfterMs?: number;
}

/** A failure that is thrown inside WimGuard. It becomes a ConnectError where a handler ends. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = "FailureError";
    this.failure = failure;
  }
}

/** Throws a FailureError. */
export function fail(failure: Failure, cause?: unknown): never {
  throw new FailureError(failure, cause);
}

/** Throws a FailureError CANCELLED once the signal has aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) fail({ reason: "CANCELLED", message: "the job was cancelled" });
}
