import type { ConnectError } from "@connectrpc/connect";
import { type FieldViolation, invalidArgument } from "@tercel/grpc/errors";

/** Errors of this package carry a reason, so that programs can tell them apart without reading their text. */
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

/** What this package says of a request. The domain is added where the error leaves. */
export function requestProblem(
  reason: ProblemReason,
  violations: readonly FieldViolation[],
  message?: string,
): ConnectError {
  const [first] = violations;
  const text = message ?? (first === undefined ? "the request is not valid" : `${first.field}: ${first.description}`);
  return invalidArgument({ message: text, violations, reason });
}

/** Text of a client's, short enough for an error. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
