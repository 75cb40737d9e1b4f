import { Code } from "@connectrpc/connect";
import type { Status } from "../call/status-name.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * The log level of a status, as in go-grpc-middleware for servers: info for common mistakes of clients, warn for failures that matter if they
 * are frequent, error for failures of the server itself.
 */
const levels: Readonly<Record<number, LogLevel>> = {
  [Code.Canceled]: "info",
  [Code.InvalidArgument]: "info",
  [Code.NotFound]: "info",
  [Code.AlreadyExists]: "info",
  [Code.Unauthenticated]: "info",
  [Code.DeadlineExceeded]: "warn",
  [Code.PermissionDenied]: "warn",
  [Code.ResourceExhausted]: "warn",
  [Code.FailedPrecondition]: "warn",
  [Code.Aborted]: "warn",
  [Code.OutOfRange]: "warn",
  [Code.Unavailable]: "warn",
};

/** Returns the default log level of a status: info, warn or error. */
export function levelOfStatus(status: Status): LogLevel {
  return status === 0 ? "info" : (levels[status] ?? "error");
}
