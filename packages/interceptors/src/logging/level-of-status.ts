import { Code } from "@connectrpc/connect";
import type { Status } from "../call/status-name.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * How urgent a status is, as in go-grpc-middleware for servers: info for what clients do wrong every day, warn for what matters when it
 * happens often, error for what is the server's own fault.
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

export function levelOfStatus(status: Status): LogLevel {
  return status === 0 ? "info" : (levels[status] ?? "error");
}
