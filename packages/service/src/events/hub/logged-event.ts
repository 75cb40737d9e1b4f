import type { EventRecord } from "../event-record.ts";

export interface LoggedEvent {
  readonly seq: number;
  readonly record: EventRecord;
  /** Attempts that failed. */
  readonly attempts: number;
}

/** What a query of deliveries gives. */
export interface EventRow {
  seq: number;
  id: string;
  topic: string;
  event_key: string;
  payload: Uint8Array;
  trace_parent: string;
  published_ms: number;
  attempts: number;
}

export function toLoggedEvent(row: EventRow): LoggedEvent {
  const { seq, attempts, id, topic, payload } = row;
  const record = {
    id,
    topic,
    key: row.event_key,
    payload,
    traceParent: row.trace_parent,
    publishedMs: row.published_ms,
  };
  return { seq, attempts, record };
}
