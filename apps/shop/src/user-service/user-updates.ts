import { setImmediate } from "node:timers/promises";
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
  /** Tells all who follow. */
  publish(change: UserChange, user: StoredUser | undefined): void;
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

/** How many missed changes are in memory at a time. */
const batchSize = 100;

/** For who reads slowly; beyond, the stream ends and can be resumed, so that no change is ever left out in silence. */
const maxBuffered = 1_000;
const maxFollowers = 1_000;

/** Creates the streams over what was noted; `getUser` reads a user as it is now. */
export function createUserUpdates(changes: UserChanges, getUser: (id: string) => StoredUser | undefined): UserUpdates {
  const broadcaster = createBroadcaster<UserUpdate>({
    whenSlow: "disconnect",
    maxBuffered,
    maxSubscribers: maxFollowers,
  });

  return {
    publish: (change, user) => broadcaster.publish({ change, user }),

    async *follow({ userIds, after, signal }) {
      if (after !== undefined && !changes.reachesBackTo(after)) throw tokenTooOld();
      // Before the database is read: what happens meanwhile is then in the one, in the other, or in both.
      const live = broadcaster.subscribe({ signal });
      try {
        const isWanted = ({ userId }: UserChange) => userIds.length === 0 || userIds.includes(userId);
        let told = after ?? changes.last();
        for (;;) {
          const missed = changes.after(told, batchSize);
          for (const change of missed) {
            told = change.seq;
            if (!isWanted(change)) continue;
            const user = change.kind === "deleted" ? undefined : getUser(change.userId);
            // Gone meanwhile: that is told further on.
            if (change.kind !== "deleted" && user === undefined) continue;
            signal.throwIfAborted();
            yield { change, user };
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
    close: () => broadcaster.close(unavailable("the server is shutting down")),
  };
}

function tokenTooOld() {
  return outOfRange({
    field: "resume_token",
    description: "is too old: what came since is no longer known; list the users and begin without a token",
    reason: "RESUME_TOKEN_EXPIRED",
  });
}
