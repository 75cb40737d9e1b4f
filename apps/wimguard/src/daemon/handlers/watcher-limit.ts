import { fail } from "../../failure/failure.ts";
import { answering } from "./failing.ts";

const maxWatchers = 64;

/** Limits how many clients watch one thing at a time. */
export class WatcherLimit {
  #watchers = 0;

  /** Counts a client in, until `leave`. @throws ConnectError with reason QUEUE_FULL when the limit is reached */
  enter(): void {
    if (this.#watchers >= maxWatchers) {
      const message = `watcher limit of ${maxWatchers} reached: try again later`;
      answering(() => fail({ reason: "QUEUE_FULL", retryAfterMs: 10_000, message }));
    }
    this.#watchers++;
  }

  leave(): void {
    this.#watchers--;
  }
}
