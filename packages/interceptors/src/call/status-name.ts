import { statusNames } from "@tercel/grpc/internal";

/** A status of a call: Connect's `Code`, or 0 for OK. */
export type Status = number;

export const okStatus: Status = 0;

/** `NOT_FOUND` and the like; for any other number, UNKNOWN, so that a label never takes a value from outside. */
export function statusName(status: Status): string {
  return statusNames[status] ?? "UNKNOWN";
}
