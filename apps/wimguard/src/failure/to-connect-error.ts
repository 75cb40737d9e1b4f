import { Code, type ConnectError } from "@connectrpc/connect";
import {
  aborted,
  alreadyExists,
  canceled,
  dataLoss,
  deadlineExceeded,
  type ErrorInit,
  failedPrecondition,
  internal,
  invalidArgument,
  notFound,
  permissionDenied,
  resourceExhausted,
  unavailable,
  unimplemented,
} from "@tercel/grpc/errors";
import { type Failure, statusOfReason } from "./failure.ts";

/** The `domain` of every google.rpc.ErrorInfo that WimGuard sends. */
export const errorDomain = "wimguard";

type UsedCode = (typeof statusOfReason)[keyof typeof statusOfReason];

const createOf: Record<UsedCode, (init: ErrorInit) => ConnectError> = {
  [Code.InvalidArgument]: invalidArgument,
  [Code.NotFound]: notFound,
  [Code.PermissionDenied]: permissionDenied,
  [Code.AlreadyExists]: alreadyExists,
  [Code.FailedPrecondition]: failedPrecondition,
  [Code.Aborted]: aborted,
  [Code.ResourceExhausted]: resourceExhausted,
  [Code.DataLoss]: dataLoss,
  [Code.Internal]: internal,
  [Code.Unimplemented]: unimplemented,
  [Code.Unavailable]: unavailable,
  [Code.Canceled]: canceled,
  [Code.DeadlineExceeded]: deadlineExceeded,
};

/** Converts a failure to the error that a client gets: status, ErrorInfo, and BadRequest, Help and RetryInfo where they apply. */
export function toConnectError(failure: Failure): ConnectError {
  const { reason, message, field, remedy, retryAfterMs } = failure;
  const init: ErrorInit = {
    message,
    reason,
    domain: errorDomain,
    metadata: metadataOf(failure),
    ...(remedy !== undefined && { help: [{ description: remedy, url: "" }] }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  if (field !== undefined) return invalidArgument({ ...init, violations: [{ field, description: message, reason }] });
  return createOf[statusOfReason[reason]](init);
}

function metadataOf({ path, engine, uuid }: Failure): Record<string, string> {
  return {
    ...(path !== undefined && { path }),
    ...(engine !== undefined && { engine }),
    ...(uuid !== undefined && { uuid }),
  };
}
