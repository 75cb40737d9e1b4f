import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "../catalog/row-writer.ts";

/** What a schedule does at a time. */
export type OccurrenceKind = "backup" | "verify" | "drill";

/** Remembers which times of a schedule were taken care of: they do not come again, whatever the clock does. */
export interface OccurrenceStore {
  /** The latest time that was taken care of; undefined for a schedule that is new. */
  lastHandled(scheduleUuid: string, kind: OccurrenceKind): number | undefined;
  /** @returns false for a time that was taken care of already */
  handle(scheduleUuid: string, kind: OccurrenceKind, atMs: number): boolean;
  /** Forgets a schedule. */
  remove(scheduleUuid: string): void;
}

export function createOccurrenceStore(database: DatabaseSync, rows: RowWriter): OccurrenceStore {
  const selectLast = database.prepare(
    "SELECT max(at_ms) AS last FROM occurrences WHERE schedule_uuid = ? AND kind = ?",
  );
  const insert = database.prepare("INSERT OR IGNORE INTO occurrences (schedule_uuid, kind, at_ms) VALUES (?, ?, ?)");
  const removeOld = database.prepare("DELETE FROM occurrences WHERE schedule_uuid = ? AND kind = ? AND at_ms < ?");
  const removeAll = database.prepare("DELETE FROM occurrences WHERE schedule_uuid = ?");
  const lastHandled = (scheduleUuid: string, kind: OccurrenceKind): number | undefined =>
    (selectLast.get(scheduleUuid, kind)?.last as number | null | undefined) ?? undefined;
  return {
    lastHandled,
    handle(scheduleUuid, kind, atMs) {
      if ((lastHandled(scheduleUuid, kind) ?? Number.NEGATIVE_INFINITY) >= atMs) return false;
      rows.change(() => {
        insert.run(scheduleUuid, kind, atMs);
        // The latest one says it all.
        removeOld.run(scheduleUuid, kind, atMs);
      });
      return true;
    },
    remove: (scheduleUuid) => rows.change(() => void removeAll.run(scheduleUuid)),
  };
}
