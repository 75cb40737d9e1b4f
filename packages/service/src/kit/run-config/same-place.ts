import type { ListenOn } from "./run-config.ts";

/** Whether one listener serves both. Port 0 is another one each time it is listened on. */
export function isSamePlace(one: ListenOn, other: ListenOn): boolean {
  return one === other || (one.port !== 0 && one.port === other.port);
}
