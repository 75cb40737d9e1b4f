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
  before: number;
}

export interface OutboxBatch {
  readonly records: readonly EventRecord[];
  /** Row IDs by event ID. */
  readonly rowIds: ReadonlyMap<string, number>;
  /** ID of the last row; 0 without rows. */
  readonly lastId: number;
  /** Whether there is more to send. */
  readonly hasMore: boolean;
}

/** Reads the oldest rows: up to 500, fewer if they are large, but at least one. */
export async function readBatch(database: Database): Promise<OutboxBatch> {
  return (await readAfter(database, 0)).batch;
}

/**
 * Reads the rows after a batch whose rows are still there, because it is being sent. Undefined if other rows are before them: a transaction that took its
 * IDs earlier has committed later, and what was published after it must not overtake it.
 */
export async function readAhead(
  database: Database,
  { lastId, records }: OutboxBatch,
): Promise<OutboxBatch | undefined> {
  const { batch, before } = await readAfter(database, lastId);
  return before > records.length ? undefined : batch;
}

interface ReadRows {
  readonly batch: OutboxBatch;
  /** Number of rows up to the given one, when the rows of the batch were read. */
  readonly before: number;
}

async function readAfter(database: Database, afterId: number): Promise<ReadRows> {
  const sizes = await database.all<{ id: number; bytes: number }>(
    sql`SELECT id, length(payload) AS bytes FROM tercel_outbox WHERE id > ${afterId} ORDER BY id LIMIT ${batchRows}`,
  );
  const [first] = sizes;
  if (first === undefined) return { batch: { records: [], rowIds: new Map(), lastId: 0, hasMore: false }, before: 0 };
  let bytes = 0;
  const fitting = sizes.filter((row) => {
    bytes += row.bytes;
    return bytes <= batchBytes || row === first;
  });
  const last = fitting.at(-1) ?? first;
  // Includes rows with lower IDs that were committed after the first query, which keeps the order. The count is of the same moment as the rows.
  const rows = await database.all<OutboxRow>(sql`SELECT id, event_id, topic, event_key, payload, trace_parent,
      published_ms, (SELECT count(*) FROM tercel_outbox WHERE id <= ${afterId}) AS before
    FROM tercel_outbox WHERE id > ${afterId} AND id <= ${last.id} ORDER BY id LIMIT ${fitting.length}`);
  const batch = {
    records: rows.map(toRecord),
    rowIds: new Map(rows.map((row) => [row.event_id, row.id])),
    lastId: rows.at(-1)?.id ?? 0,
    hasMore: fitting.length < sizes.length || sizes.length === batchRows,
  };
  return { batch, before: rows[0]?.before ?? 0 };
}

/** Returns the rows of events that the broker has stored. */
export function rowsOf({ rowIds }: OutboxBatch, stored: ReadonlySet<string>): readonly number[] {
  return [...stored].flatMap((eventId) => rowIds.get(eventId) ?? []);
}

export async function deleteRows(database: Database, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await database.run(sql`DELETE FROM tercel_outbox WHERE id IN (${join([...ids])})`);
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
