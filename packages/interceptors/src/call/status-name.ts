import { statusNames } from "@tercel/grpc/internal";

/** The status of a call: Connect's `Code`, or 0 for OK. */
export type Status = number;

export const okStatus: Status = 0;

/** Returns the name of a status, for example `NOT_FOUND`. Other numbers are UNKNOWN, so that peers cannot create new metric labels. */
export function statusName(status: Status): string {
  return statusNames[status] ?? "UNKNOWN";
}
