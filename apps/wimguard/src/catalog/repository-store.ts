import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "./row-writer.ts";

/** Remembers in which repositories data waits for its removal. */
export interface RepositoryStore {
  /** Something was removed from a repository, whose data is still there. */
  forgotten(destination: string, atMs: number): void;
  /** The data was removed of what had been forgotten until a time. */
  pruned(destination: string, startedAtMs: number, atMs: number): void;
  /** Repositories to prune that were not pruned after a time. */
  toPrune(sinceMs: number): string[];
}

export function createRepositoryStore(database: DatabaseSync, rows: RowWriter): RepositoryStore {
  const forget = database.prepare(
    `INSERT INTO repositories (destination, forgotten_at_ms) VALUES (:destination, :atMs)
     ON CONFLICT (destination) DO UPDATE SET forgotten_at_ms = :atMs`,
  );
  const prune = database.prepare(
    `UPDATE repositories SET pruned_at_ms = :atMs,
     forgotten_at_ms = CASE WHEN forgotten_at_ms <= :startedAtMs THEN NULL ELSE forgotten_at_ms END
     WHERE destination = :destination`,
  );
  const select = database.prepare(
    `SELECT destination FROM repositories
     WHERE forgotten_at_ms IS NOT NULL AND (pruned_at_ms IS NULL OR pruned_at_ms <= :sinceMs) ORDER BY destination`,
  );
  return {
    forgotten: (destination, atMs) => rows.change(() => void forget.run({ destination, atMs })),
    pruned: (destination, startedAtMs, atMs) => rows.change(() => void prune.run({ destination, startedAtMs, atMs })),
    toPrune: (sinceMs) => select.all({ sinceMs }).map((row) => row.destination as string),
  };
}
