import { Code, type ConnectError } from "@connectrpc/connect";

/** Maps a gRPC code to an HTTP status for REST and Connect (google/rpc/code.proto, Connect protocol). */
export function httpStatusOf(code: Code): number {
  switch (code) {
    case Code.InvalidArgument:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
      return 400;
    case Code.Unauthenticated:
      return 401;
    case Code.PermissionDenied:
      return 403;
    case Code.NotFound:
      return 404;
    case Code.AlreadyExists:
    case Code.Aborted:
      return 409;
    case Code.ResourceExhausted:
      return 429;
    case Code.Canceled:
      return 499;
    case Code.Unimplemented:
      return 501;
    case Code.Unavailable:
      return 503;
    case Code.DeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

const statuses = new WeakMap<ConnectError, number>();

/** Overrides the HTTP status of an error over REST, for example 413 for a body that is too large. */
export function withHttpStatus(error: ConnectError, status: number): ConnectError {
  statuses.set(error, status);
  return error;
}

/** Returns the HTTP status of an error over REST. */
export function httpStatusOfError(error: ConnectError): number {
  return statuses.get(error) ?? httpStatusOf(error.code);
}
