import type { RegisteredDestination } from "../catalog/registered-items.ts";
import { freeSpaceOf } from "../files/free-space.ts";
import type { Schedule } from "../schedule/schedule-item.ts";
import type { Notifier } from "./notifier.ts";

export interface WatchedState {
  readonly schedules: () => readonly Schedule[];
  readonly isOverdue: (schedule: Schedule) => boolean;
  readonly destinations: () => readonly RegisteredDestination[];
}

/** A destination with less than this part free is low on space. */
const lowPart = 0.05;

/** Creates the look at what is wrong without any run: each is notified once, until it is well again. */
export function createStateWatch(notifier: Notifier, { schedules, isOverdue, destinations }: WatchedState): () => void {
  const known = new Set<string>();
  const report = (key: string, isWrong: boolean, notify: () => void): void => {
    if (!isWrong) known.delete(key);
    else if (!known.has(key)) {
      known.add(key);
      notify();
    }
  };
  return () => {
    for (const schedule of schedules()) {
      const { uuid, name } = schedule;
      const message = `schedule ${name} had no good run for too long`;
      report(`overdue ${uuid}`, isOverdue(schedule), () =>
        notifier.notify("overdue", { scheduleUuid: uuid, name, message }),
      );
    }
    for (const destination of destinations()) {
      const { uuid, name, url } = destination;
      // One that is missing may be unplugged.
      const free = freeSpaceOf(destination)?.freePart ?? 1;
      const message = `${url} has ${Math.floor(free * 100)} % free`;
      report(`space ${uuid}`, free < lowPart, () =>
        notifier.notify("low_space", { destinationUuid: uuid, name, message }),
      );
    }
  };
}
