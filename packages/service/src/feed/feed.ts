import { setImmediate } from "node:timers/promises";
import { outOfRange, resourceExhausted, unavailable } from "@tercel/grpc/errors";

/** Entries of a table whose `seq` rises in the order of their commits. */
export interface FeedSource<Entry> {
  /** Up to `limit` entries with a larger `seq` than `after`, the oldest first. */
  after(after: number, limit: number): Promise<readonly Entry[]>;
  /** The `seq` of the oldest entry that is kept, and of the newest that there ever was. */
  range(): Promise<{ readonly first: number; readonly last: number }>;
}

export interface FollowOptions {
  /** The `seq` of the last entry that was read; undefined to begin with the next one. */
  readonly after: number | undefined;
  /** The follower's. */
  readonly signal: AbortSignal;
}

/** Streams over a table that grows: each follower reads at its own pace, so that a slow one costs no memory. */
export interface Feed<Entry> {
  /** Has followers look at once, after a commit of this process. Without it they look every `pollMs`. */
  wake(): void;
  /**
   * Entries that were missed and then those that come, without a gap or a repetition. Ends when the follower leaves.
   *
   * @throws ConnectError OUT_OF_RANGE when what was missed is not kept any more, UNAVAILABLE when the service stops
   */
  follow(options: FollowOptions): AsyncGenerator<Entry, void, void>;
  readonly followers: number;
}

export interface FeedOptions {
  /** How often followers look for what other processes have committed, in milliseconds. Default 1,000. */
  readonly pollMs?: number;
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal;
}

/** How many entries are read at a time. */
const batchSize = 100;
/** Each looks at the table on its own. */
const maxFollowers = 1_000;

/** Creates the streams over a table. */
export function createFeed<Entry extends { readonly seq: number }>(
  source: FeedSource<Entry>,
  { pollMs = 1_000, stopping }: FeedOptions,
): Feed<Entry> {
  const waiting = new Set<() => void>();
  let followers = 0;
  /** Counts the wakes, so that one between a look and the wait after it is not missed. */
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
      // Others get their turn, however fast this follower reads.
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
        // A token of a database that was there before this one may be ahead of it.
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
