import { type Database, sql, type Transaction } from "@tercel/service";
import type { FeedSource } from "@tercel/service/feed";
import type { ListQuery } from "../shared/list-pages.ts";
import { nextSeq } from "../shared/next-seq.ts";

/** A notification of a user. Times are Unix milliseconds; `seq` increases with every notification. */
export interface StoredNotification {
  readonly seq: number;
  /** The id of the event. */
  readonly id: string;
  readonly userId: string;
  readonly kind: string;
  readonly text: string;
  readonly createTimeMs: number;
}

/** The notifications of the shop's users. */
export interface NotificationStore extends FeedSource<StoredNotification> {
  /** Adds a notification, in the transaction that handles its event. */
  addIn(tx: Transaction, notification: Omit<StoredNotification, "seq">): Promise<void>;
  /** Newest first. */
  list(query: ListQuery): Promise<StoredNotification[]>;
}

const columns = sql`seq, id, user_id AS "userId", kind, text, create_time_ms AS "createTimeMs"`;

/** Creates the store over a database with the migrations of this service. */
export function createNotificationStore(database: Database): NotificationStore {
  return {
    async addIn(tx, { id, userId, kind, text, createTimeMs }) {
      const seq = await nextSeq(tx, "notifications");
      await tx.run(sql`INSERT INTO notifications (seq, id, user_id, kind, text, create_time_ms)
        VALUES (${seq}, ${id}, ${userId}, ${kind}, ${text}, ${createTimeMs})`);
    },
    list({ userId, before, limit }) {
      const ofUser = userId === "" ? sql`1 = 1` : sql`user_id = ${userId}`;
      return database.all<StoredNotification>(
        sql`SELECT ${columns} FROM notifications WHERE ${ofUser} AND seq < ${before} ORDER BY seq DESC LIMIT ${limit}`,
      );
    },
    after: (after, limit) =>
      database.all<StoredNotification>(
        sql`SELECT ${columns} FROM notifications WHERE seq > ${after} ORDER BY seq LIMIT ${limit}`,
      ),
    range: () =>
      database.one(sql`SELECT n AS last, coalesce((SELECT min(seq) FROM notifications), n + 1) AS first
        FROM counters WHERE name = 'notifications'`),
  };
}
