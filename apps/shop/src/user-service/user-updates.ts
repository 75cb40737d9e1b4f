import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock } from "@tercel/grpc";
import { outOfRange, unavailable } from "@tercel/grpc/errors";
import { createBroadcaster } from "@tercel/interceptors/streams";
import type { UserChange, UserChanges } from "./user-changes.ts";
import type { StoredUser } from "./user-row.ts";

/** A change, and the user as it is now; undefined once it is gone. */
export interface UserUpdate {
  readonly change: UserChange;
  readonly user: StoredUser | undefined;
}

export interface FollowOptions {
  /** Whose changes; all if it is empty. */
  readonly userIds: readonly string[];
  /** The `seq` of the last change that was read; undefined to begin with the next one. */
  readonly after: number | undefined;
  readonly signal: AbortSignal;
}

/** What becomes of users, as streams of it. */
export interface UserUpdates {
  /** Tells all who follow of what was noted since the last time. */
  tell(): void;
  /**
   * Changes that were missed, from the database, and then those that come, without a gap or a repetition between the two.
   *
   * @throws ConnectError OUT_OF_RANGE when what was missed is no longer known, RESOURCE_EXHAUSTED for who reads too slowly
   */
  follow(options: FollowOptions): AsyncGenerator<UserUpdate, void, void>;
  /** How many follow now. */
  readonly followers: number;
  /** Ends all streams with UNAVAILABLE, so that they go on elsewhere. */
  close(): void;
}

/** How many changes are read at a time. */
const batchSize = 100;

/** For who reads slowly; beyond, the stream ends and can be resumed, so that no change is ever left out in silence. */
const maxBuffered = 1_000;
const maxFollowers = 1_000;

/** What other processes have noted in the same database is looked for so often, while somebody follows. */
const pollMs = 1_000;

/** Creates the streams over what was noted; `getUser` reads a user as it is now. */
export function createUserUpdates(
  changes: UserChanges,
  getUser: (id: string) => StoredUser | undefined,
  clock: Clock = systemClock,
): UserUpdates {
  const broadcaster = createBroadcaster<UserUpdate>({
    whenSlow: "disconnect",
    maxBuffered,
    maxSubscribers: maxFollowers,
  });
  let toldAll = changes.last();
  let stopPolling: (() => void) | undefined;

  /** Undefined for what need not be told: the user is gone meanwhile, which is a change of its own. */
  function updateOf(change: UserChange): UserUpdate | undefined {
    if (change.kind === "deleted") return { change, user: undefined };
    const user = getUser(change.userId);
    return user === undefined ? undefined : { change, user };
  }

  function tell(): void {
    for (;;) {
      const noted = changes.after(toldAll, batchSize);
      for (const change of noted) {
        toldAll = change.seq;
        const update = updateOf(change);
        if (update !== undefined) broadcaster.publish(update);
      }
      if (noted.length < batchSize) return;
    }
  }

  function poll(): void {
    stopPolling = undefined;
    if (broadcaster.subscribers === 0) return;
    try {
      tell();
    } catch {
      // A database that cannot be read now may be read at the next poll; the health check says what is wrong with it.
    }
    stopPolling = clock.after(pollMs, poll);
  }

  return {
    tell() {
      if (broadcaster.subscribers > 0) tell();
    },

    async *follow({ userIds, after, signal }) {
      if (after !== undefined && !changes.reachesBackTo(after)) throw tokenTooOld();
      // No one was told of what came while no one followed, and no one has to be.
      if (broadcaster.subscribers === 0) toldAll = changes.last();
      // Before the database is read: what happens meanwhile is then in the one, in the other, or in both.
      const live = broadcaster.subscribe({ signal });
      stopPolling ??= clock.after(pollMs, poll);
      try {
        const isWanted = ({ userId }: UserChange) => userIds.length === 0 || userIds.includes(userId);
        let told = after ?? changes.last();
        for (;;) {
          const missed = changes.after(told, batchSize);
          for (const change of missed) {
            told = change.seq;
            const update = isWanted(change) ? updateOf(change) : undefined;
            if (update === undefined) continue;
            signal.throwIfAborted();
            yield update;
          }
          if (missed.length < batchSize) break;
          // Other calls get their turn.
          await setImmediate();
        }
        for await (const update of live) {
          if (update.change.seq > told && isWanted(update.change)) yield update;
        }
      } finally {
        await live.return?.();
      }
    },

    get followers() {
      return broadcaster.subscribers;
    },

    close() {
      stopPolling?.();
      broadcaster.close(unavailable("the server is shutting down"));
    },
  };
}

function tokenTooOld() {
  return outOfRange({
    field: "resume_token",
    description: "is too old: what came since is no longer known; list the users and begin without a token",
    reason: "RESUME_TOKEN_EXPIRED",
  });
}
