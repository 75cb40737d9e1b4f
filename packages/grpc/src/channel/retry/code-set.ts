import { Code } from "@connectrpc/connect";

/** A set of status codes as bits of one number, so that asking for a code costs nothing. OK is bit 0. */
export type CodeSet = number;

export const noCodes: CodeSet = 0;

export function codeSetOf(codes: Iterable<number>): CodeSet {
  let set = noCodes;
  for (const code of codes) set |= 1 << code;
  return set;
}

export function hasCode(set: CodeSet, code: number): boolean {
  return (set & (1 << code)) !== 0;
}

/** gRPC's name of a status, `UNAVAILABLE` for instance, as service configs and messages write it. */
export function codeName(code: Code): string {
  return codeNames[code] ?? String(code);
}

/** By number; Connect writes them in its own way, and has no OK. */
export const codeNames: readonly string[] = [
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

/** Codes that belong to applications: neither a resolver nor a balancer may end a call with them (gRFC A54). */
export const applicationCodes: CodeSet = codeSetOf([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.Aborted,
  Code.OutOfRange,
  Code.DataLoss,
]);
