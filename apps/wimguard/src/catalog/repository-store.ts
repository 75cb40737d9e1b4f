import type { DatabaseSync } from "node:sqlite";
import type { RowWriter } from "./row-writer.ts";

/** Records the repositories that must be pruned. */
export interface RepositoryStore {
  /** Records that a snapshot was removed from a repository, whose data is not pruned yet. */
  forgotten(destination: string, atMs: number): void;
  /** Records that the data of snapshots removed before a time was pruned. */
  pruned(destination: string, startedAtMs: number, atMs: number): void;
  /** Returns the repositories to prune that were not pruned after a time. */
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
