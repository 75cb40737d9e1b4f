import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import sql, { empty, join } from "sql-template-tag";
import type { Database } from "../../database/database.ts";
import { outboxChannel } from "./insert-event.ts";

/** An event that the broker rejected permanently. It is not sent until it is retried. */
export interface ParkedEvent {
  /** ID of the row, for `retryParkedEvents`. */
  readonly rowId: number;
  /** ID of the event. */
  readonly id: string;
  /** The full name of the message's type. */
  readonly topic: string;
  readonly key: string;
  /** The message in protobuf's binary format. */
  readonly payload: Uint8Array;
  readonly publishedAt: Date;
  readonly parkedAt: Date;
  /** The broker's reason. */
  readonly reason: string;
}

interface ParkedRow {
  readonly id: number;
  readonly event_id: string;
  readonly topic: string;
  readonly event_key: string;
  readonly payload: Uint8Array;
  readonly published_ms: number;
  readonly parked_ms: number;
  readonly reason: string;
}

const defaultLimit = 100;

/** Lists parked events, oldest first; at most `limit`, by default 100. */
export async function listParkedEvents(
  database: Database,
  options: { readonly limit?: number } = {},
): Promise<readonly ParkedEvent[]> {
  const where = "listParkedEvents";
  refuseUnknownOptions(where, options, ["limit"]);
  checkWholeNumber(where, "limit", options.limit, 1, 10_000);
  const rows =
    await database.all<ParkedRow>(sql`SELECT id, event_id, topic, event_key, payload, published_ms, parked_ms,
    reason FROM tercel_outbox_parked ORDER BY id LIMIT ${options.limit ?? defaultLimit}`);
  return rows.map((row) => ({
    rowId: row.id,
    id: row.event_id,
    topic: row.topic,
    key: row.event_key,
    payload: row.payload,
    publishedAt: new Date(row.published_ms),
    parkedAt: new Date(row.parked_ms),
    reason: row.reason,
  }));
}

/** Moves parked events back to the end of the outbox: those of the given rows, or all. Resolves to their number. */
export async function retryParkedEvents(database: Database, rowIds?: readonly number[]): Promise<number> {
  if (rowIds?.length === 0) return 0;
  const chosen = rowIds === undefined ? empty : sql`WHERE id IN (${join([...rowIds])})`;
  return database.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO tercel_outbox (event_id, topic, event_key, payload, trace_parent, published_ms)
      SELECT event_id, topic, event_key, payload, trace_parent, published_ms FROM tercel_outbox_parked
      ${chosen} ORDER BY id`);
    const { changes } = await tx.run(sql`DELETE FROM tercel_outbox_parked ${chosen}`);
    await tx.notify(outboxChannel);
    return changes;
  });
}

/** Moves a row from the outbox to the parked events. */
export async function parkEvent(database: Database, rowId: number, parkedMs: number, reason: string): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO tercel_outbox_parked
      (id, event_id, topic, event_key, payload, trace_parent, published_ms, parked_ms, reason)
      SELECT id, event_id, topic, event_key, payload, trace_parent, published_ms, ${parkedMs}, ${reason}
      FROM tercel_outbox WHERE id = ${rowId}`);
    await tx.run(sql`DELETE FROM tercel_outbox WHERE id = ${rowId}`);
  });
}
