import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "../catalog/row-writer.ts";

/** One event of a run. */
export interface RunLogEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly level: "info" | "warning" | "error";
  readonly message: string;
}

/** What happened in runs. It is forgotten with the run. */
export interface RunLogStore {
  append(uuid: string, entries: readonly Omit<RunLogEntry, "seq">[]): void;
  /** Those after a number, oldest first. */
  list(uuid: string, afterSeq: number, limit: number): RunLogEntry[];
}

export function createRunLogStore(database: DatabaseSync, rows: RowWriter): RunLogStore {
  const insert = database.prepare(
    "INSERT INTO run_logs (run_uuid, at_ms, level, message) VALUES (:uuid, :atMs, :level, :message)",
  );
  const select = database.prepare("SELECT * FROM run_logs WHERE run_uuid = ? AND seq > ? ORDER BY seq LIMIT ?");
  return {
    append(uuid, entries) {
      if (entries.length === 0) return;
      rows.insert(() => {
        for (const { atMs, level, message } of entries) insert.run({ uuid, atMs, level, message });
      });
    },
    list: (uuid, afterSeq, limit) =>
      select.all(uuid, afterSeq, limit).map((row) => ({
        seq: row.seq as number,
        atMs: row.at_ms as number,
        level: row.level as RunLogEntry["level"],
        message: row.message as string,
      })),
  };
}
