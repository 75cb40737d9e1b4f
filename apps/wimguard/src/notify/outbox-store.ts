import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "../catalog/row-writer.ts";

export type NotifyTarget = "webhook" | "ping" | "command";

/** A notification on its way to one target. */
export interface Outgoing {
  readonly seq: number;
  readonly target: NotifyTarget;
  /** JSON. */
  readonly body: string;
  readonly attempts: number;
  readonly createdAtMs: number;
}

/** Notifications that have not arrived yet: they survive a crash and a network that is down. */
export interface OutboxStore {
  insert(target: NotifyTarget, body: string, nowMs: number): void;
  /** Those that are to be tried now, oldest first. */
  due(nowMs: number, limit: number): Outgoing[];
  postpone(seq: number, attempts: number, untilMs: number): void;
  remove(seq: number): void;
}

export function createOutboxStore(database: DatabaseSync, rows: RowWriter): OutboxStore {
  const insert = database.prepare("INSERT INTO outbox (target, body, created_at_ms, next_at_ms) VALUES (?, ?, ?, ?)");
  const selectDue = database.prepare("SELECT * FROM outbox WHERE next_at_ms <= ? ORDER BY seq LIMIT ?");
  const postpone = database.prepare("UPDATE outbox SET attempts = ?, next_at_ms = ? WHERE seq = ?");
  const remove = database.prepare("DELETE FROM outbox WHERE seq = ?");
  return {
    insert: (target, body, nowMs) => rows.insert(() => void insert.run(target, body, nowMs, nowMs)),
    due: (nowMs, limit) =>
      selectDue.all(nowMs, limit).map((row) => ({
        seq: row.seq as number,
        target: row.target as NotifyTarget,
        body: row.body as string,
        attempts: row.attempts as number,
        createdAtMs: row.created_at_ms as number,
      })),
    postpone: (seq, attempts, untilMs) => rows.change(() => void postpone.run(attempts, untilMs, seq)),
    remove: (seq) => rows.change(() => void remove.run(seq)),
  };
}
