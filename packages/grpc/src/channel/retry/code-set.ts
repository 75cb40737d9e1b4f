import { Code } from "@connectrpc/connect";
import { statusNames } from "../../protocol/status.ts";

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
  return statusNames[code] ?? String(code);
}

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
