import type { ListenOn } from "./run-config.ts";

/** Whether two addresses share a listener. Port 0 never does, since it is a new port each time. */
export function isSamePlace(one: ListenOn, other: ListenOn): boolean {
  return one === other || (one.port !== 0 && one.port === other.port);
}
