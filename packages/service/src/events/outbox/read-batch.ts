import sql, { join } from "sql-template-tag";
import type { Database } from "../../database/database.ts";
import type { EventRecord } from "../event-record.ts";

export const batchRows = 500;
/** Limit on the size of a batch, which is in memory as a whole. */
const batchBytes = 8 * 1024 * 1024;

interface OutboxRow {
  id: number;
  event_id: string;
  topic: string;
  event_key: string;
  payload: Uint8Array;
  trace_parent: string;
  published_ms: number;
}

export interface OutboxBatch {
  readonly records: readonly EventRecord[];
  /** Row IDs by event ID. */
  readonly rowIds: ReadonlyMap<string, number>;
  /** Whether there is more to send. */
  readonly hasMore: boolean;
}

/** Reads the oldest rows: up to 500, fewer if they are large, but at least one. */
export async function readBatch(database: Database): Promise<OutboxBatch> {
  const sizes = await database.all<{ id: number; bytes: number }>(
    sql`SELECT id, length(payload) AS bytes FROM tercel_outbox ORDER BY id LIMIT ${batchRows}`,
  );
  const [first] = sizes;
  if (first === undefined) return { records: [], rowIds: new Map(), hasMore: false };
  let bytes = 0;
  const fitting = sizes.filter((row) => {
    bytes += row.bytes;
    return bytes <= batchBytes || row === first;
  });
  const last = fitting.at(-1) ?? first;
  // Includes rows with lower IDs that were committed after the first query, which keeps the order.
  const rows =
    await database.all<OutboxRow>(sql`SELECT id, event_id, topic, event_key, payload, trace_parent, published_ms
    FROM tercel_outbox WHERE id <= ${last.id} ORDER BY id LIMIT ${fitting.length}`);
  return {
    records: rows.map(toRecord),
    rowIds: new Map(rows.map((row) => [row.event_id, row.id])),
    hasMore: fitting.length < sizes.length || sizes.length === batchRows,
  };
}

/** Deletes the rows of stored events. */
export async function deleteSent(
  database: Database,
  { rowIds }: OutboxBatch,
  sent: ReadonlySet<string>,
): Promise<void> {
  const ids = [...sent].flatMap((eventId) => rowIds.get(eventId) ?? []);
  if (ids.length > 0) await database.run(sql`DELETE FROM tercel_outbox WHERE id IN (${join(ids)})`);
}

export interface Backlog {
  readonly pending: number;
  readonly oldestMs: number | undefined;
  /** Number of parked events. */
  readonly parked: number;
}

/** Counts pending and parked events; the counts are capped, to stay fast. */
export async function readBacklog(database: Database): Promise<Backlog> {
  const row = await database.one<{ pending: number; parked: number; oldest: number | null }>(sql`SELECT
    (SELECT count(*) FROM (SELECT 1 FROM tercel_outbox LIMIT ${maxCounted}) counted) AS pending,
    (SELECT count(*) FROM (SELECT 1 FROM tercel_outbox_parked LIMIT ${maxCounted}) counted) AS parked,
    (SELECT published_ms FROM tercel_outbox ORDER BY id LIMIT 1) AS oldest`);
  return { pending: row.pending, oldestMs: row.oldest ?? undefined, parked: row.parked };
}

const maxCounted = 100_000;

function toRecord(row: OutboxRow): EventRecord {
  const { event_id: id, topic, event_key: key, payload, trace_parent: traceParent, published_ms: publishedMs } = row;
  return { id, topic, key, payload, traceParent, publishedMs };
}
