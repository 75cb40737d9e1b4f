/** By number, as gRPC's documents write them; Connect's `Code` has no OK. */
const names: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** A status of a call: Connect's `Code`, or 0 for OK. */
export type Status = number;

export const okStatus: Status = 0;

/** `NOT_FOUND` and the like; for what is no status, UNKNOWN, so that a label never takes a value from outside. */
export function statusName(status: Status): string {
  return names[status] ?? "UNKNOWN";
}
