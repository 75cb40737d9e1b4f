import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Failure } from "../failure/failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { commitRow, updateRow } from "./backup-store.ts";
import type { Warnings } from "./warning-list.ts";

export type RestoreState = "in_progress" | "completed" | "failed" | "cancelled";

/** A restore that is about to start. */
export interface NewRestore {
  readonly uuid: string;
  readonly backupUuid: string;
  readonly target: string;
  readonly createdAtMs: number;
}

export interface StoredRestore extends NewRestore {
  readonly state: RestoreState;
  /** The folder that is filled before it takes the target's name, until it is known to be gone. */
  readonly staging: { readonly path: string; readonly device: string } | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly verifiedFiles: number;
  readonly warnings: Warnings;
  readonly failure: Failure | undefined;
  readonly endedAtMs: number | undefined;
}

/** What changes in a restore. What is absent stays as it is. */
export interface RestoreChange {
  readonly state?: RestoreState;
  readonly staging?: { readonly path: string; readonly device: string } | null;
  readonly files?: number;
  readonly bytes?: number;
  readonly verifiedFiles?: number;
  readonly warnings?: Warnings;
  readonly failure?: Failure;
  readonly endedAtMs?: number;
}

/** The restores of the catalogue. Each write is a transaction that has survived when it returns. */
export interface RestoreStore {
  insert(restore: NewRestore): void;
  change(uuid: string, change: RestoreChange): void;
  get(uuid: string): StoredRestore | undefined;
  /** Newest first: those before the one with this number, or all. */
  list(limit: number, beforeSeq: number | undefined): { readonly restore: StoredRestore; readonly seq: number }[];
  count(): number;
  unfinished(): StoredRestore[];
}

export function createRestoreStore(database: DatabaseSync, files: DurableFiles): RestoreStore {
  const insert = database.prepare(
    `INSERT INTO restores (uuid, backup_uuid, target, state, created_at_ms)
     VALUES (:uuid, :backupUuid, :target, 'in_progress', :createdAtMs)`,
  );
  const selectOne = database.prepare("SELECT * FROM restores WHERE uuid = :uuid");
  const selectPage = database.prepare("SELECT * FROM restores WHERE seq < :before ORDER BY seq DESC LIMIT :limit");
  const count = database.prepare("SELECT count(*) AS total FROM restores");
  const selectUnfinished = database.prepare(
    "SELECT * FROM restores WHERE state = 'in_progress' OR staging_path IS NOT NULL ORDER BY seq",
  );
  return {
    insert: (restore) => commitRow(database, files, () => void insert.run({ ...restore })),
    change: (uuid, change) =>
      commitRow(database, files, () => updateRow(database, "restores", uuid, columnsOf(change))),
    get(uuid) {
      const row = selectOne.get({ uuid });
      return row === undefined ? undefined : toRestore(row);
    },
    list: (limit, beforeSeq) =>
      selectPage
        .all({ limit, before: beforeSeq ?? Number.MAX_SAFE_INTEGER })
        .map((row) => ({ restore: toRestore(row), seq: row.seq as number })),
    count: () => Number(count.get()?.total),
    unfinished: () => selectUnfinished.all().map(toRestore),
  };
}

function columnsOf(change: RestoreChange): Record<string, SQLInputValue> {
  const { state, staging, files, bytes, verifiedFiles, warnings, failure, endedAtMs } = change;
  return {
    ...(state !== undefined && { state }),
    ...(staging !== undefined && { staging_path: staging?.path ?? null, staging_device: staging?.device ?? null }),
    ...(files !== undefined && { files }),
    ...(bytes !== undefined && { bytes }),
    ...(verifiedFiles !== undefined && { verified_files: verifiedFiles }),
    ...(warnings !== undefined && { warnings: JSON.stringify(warnings.first), warning_count: warnings.count }),
    ...(failure !== undefined && { failure: JSON.stringify(failure) }),
    ...(endedAtMs !== undefined && { ended_at_ms: endedAtMs }),
  };
}

function toRestore(row: Record<string, unknown>): StoredRestore {
  const text = (name: string): string => row[name] as string;
  const number = (name: string): number => row[name] as number;
  return {
    uuid: text("uuid"),
    backupUuid: text("backup_uuid"),
    target: text("target"),
    createdAtMs: number("created_at_ms"),
    state: text("state") as RestoreState,
    staging: row.staging_path === null ? undefined : { path: text("staging_path"), device: text("staging_device") },
    files: number("files"),
    bytes: number("bytes"),
    verifiedFiles: number("verified_files"),
    warnings: { first: JSON.parse(text("warnings")), count: number("warning_count") },
    failure: row.failure === null ? undefined : (JSON.parse(text("failure")) as Failure),
    endedAtMs: row.ended_at_ms === null ? undefined : number("ended_at_ms"),
  };
}
