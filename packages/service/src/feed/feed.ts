import { setImmediate } from "node:timers/promises";
import { outOfRange, resourceExhausted, unavailable } from "@tercel/grpc/errors";

/** A table whose `seq` increases in commit order. */
export interface FeedSource<Entry> {
  /** Returns up to `limit` entries with a `seq` above `after`, oldest first. */
  after(after: number, limit: number): Promise<readonly Entry[]>;
  /** Returns the `seq` of the oldest stored entry and of the newest entry ever. */
  range(): Promise<{ readonly first: number; readonly last: number }>;
}

export interface FollowOptions {
  /** The `seq` of the last received entry; undefined to start with the next one. */
  readonly after: number | undefined;
  /** Signal of the follower. */
  readonly signal: AbortSignal;
}

/** Streams of a growing table: each follower reads at its own pace, so that a slow one costs no memory. */
export interface Feed<Entry> {
  /** Makes followers poll at once, after a commit of this process. Otherwise they poll every `pollMs`. */
  wake(): void;
  /**
   * Yields missed entries and then new ones, without gaps or duplicates. Ends when the follower leaves.
   *
   * @throws ConnectError OUT_OF_RANGE when missed entries are no longer stored, UNAVAILABLE when the service stops
   */
  follow(options: FollowOptions): AsyncGenerator<Entry, void, void>;
  readonly followers: number;
}

export interface FeedOptions {
  /** Polling interval for commits of other processes, in milliseconds. Default 1,000. */
  readonly pollMs?: number;
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal;
}

/** Number of entries per query. */
const batchSize = 100;
/** Limit on followers, since each one queries the table. */
const maxFollowers = 1_000;

/** Creates a feed of a table. */
export function createFeed<Entry extends { readonly seq: number }>(
  source: FeedSource<Entry>,
  { pollMs = 1_000, stopping }: FeedOptions,
): Feed<Entry> {
  const waiting = new Set<() => void>();
  let followers = 0;
  /** Counts wakes, so that one between a query and the following wait is not missed. */
  let wakes = 0;
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    wakes += 1;
    for (const look of waiting) look();
    waiting.clear();
  }

  async function* entriesAfter(after: number, signal: AbortSignal): AsyncGenerator<Entry, void, void> {
    let told = after;
    let look = (): void => {};
    signal.addEventListener("abort", () => look(), { once: true });
    while (!signal.aborted) {
      const seen = wakes;
      const entries = await source.after(told, batchSize);
      for (const entry of entries) {
        if (signal.aborted) return;
        told = entry.seq;
        yield entry;
      }
      // Yields to the event loop, however fast this follower reads.
      if (entries.length === batchSize) await setImmediate();
      else if (seen === wakes && !signal.aborted) {
        await new Promise<void>((resolve) => {
          look = resolve;
          waiting.add(resolve);
        });
        waiting.delete(look);
      }
    }
  }

  return {
    wake,

    async *follow({ after, signal }) {
      if (followers >= maxFollowers) throw resourceExhausted({ message: "too many streams", retryAfterMs: 5_000 });
      followers += 1;
      timer ??= setInterval(wake, pollMs).unref();
      try {
        const { first, last } = await source.range();
        // A token from a previous database may be ahead of this one.
        if (after !== undefined && (after > last || after < first - 1)) throw tokenTooOld();
        yield* entriesAfter(after ?? last, AbortSignal.any([signal, stopping]));
        if (stopping.aborted && !signal.aborted) throw unavailable("the server is shutting down");
      } finally {
        followers -= 1;
        if (followers === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      }
    },

    get followers() {
      return followers;
    },
  };
}

function tokenTooOld() {
  return outOfRange({
    field: "resume_token",
    description: "is too old: what came since is no longer known; list what there is and begin without a token",
    reason: "RESUME_TOKEN_EXPIRED",
  });
}
