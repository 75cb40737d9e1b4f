import type { ConnectError } from "@connectrpc/connect";
import { type FieldViolation, invalidArgument } from "@tercel/grpc/errors";

/** `ErrorInfo.reason` of the errors that this package creates, for programs that handle them. */
export type ProblemReason =
  | "INVALID_PATH"
  | "PATH_TOO_LONG"
  | "METHOD_NOT_ALLOWED"
  | "INVALID_TIMEOUT"
  | "NOT_ACCEPTABLE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "INVALID_QUERY"
  | "UNKNOWN_QUERY_PARAMETER"
  | "INVALID_BODY"
  | "UNEXPECTED_BODY"
  | "UNKNOWN_FIELD";

/** Creates an InvalidArgument error for a request. The ErrorInfo gets its domain when the error is encoded. */
export function requestProblem(
  reason: ProblemReason,
  violations: readonly FieldViolation[],
  message?: string,
): ConnectError {
  const [first] = violations;
  const text = message ?? (first === undefined ? "the request is not valid" : `${first.field}: ${first.description}`);
  return invalidArgument({ message: text, violations, reason });
}

/** Quotes and shortens a client's text for an error. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
