import type { DatabaseSync } from "node:sqlite";
import type { Failure } from "../failure/failure.ts";
import type { Columns, RowWriter } from "./row-writer.ts";
import { type ListedTable, toMilliseconds } from "./search-rows.ts";
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
  /** The staging folder, which is renamed to the target; recorded until its removal is certain. */
  readonly staging: { readonly path: string; readonly device: string } | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly verifiedFiles: number;
  readonly warnings: Warnings;
  readonly failure: Failure | undefined;
  readonly endedAtMs: number | undefined;
}

/** Changes of a restore. Absent fields are not changed. */
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

/** The restores in the catalogue. Each write is a transaction that is durable when it returns. */
export interface RestoreStore {
  insert(restore: NewRestore): void;
  change(uuid: string, change: RestoreChange): void;
  get(uuid: string): StoredRestore | undefined;
  unfinished(): StoredRestore[];
}

export function createRestoreStore(database: DatabaseSync, rows: RowWriter): RestoreStore {
  const insert = database.prepare(
    `INSERT INTO restores (uuid, backup_uuid, target, state, created_at_ms)
     VALUES (:uuid, :backupUuid, :target, 'in_progress', :createdAtMs)`,
  );
  const selectOne = database.prepare("SELECT * FROM restores WHERE uuid = :uuid");
  const selectUnfinished = database.prepare(
    "SELECT * FROM restores WHERE state = 'in_progress' OR staging_path IS NOT NULL ORDER BY seq",
  );
  return {
    insert: (restore) => rows.insert(() => void insert.run({ ...restore })),
    change: (uuid, change) => rows.update("restores", uuid, columnsOf(change)),
    get(uuid) {
      const row = selectOne.get({ uuid });
      return row === undefined ? undefined : toRestore(row);
    },
    unfinished: () => selectUnfinished.all().map(toRestore),
  };
}

/** The fields and columns by which clients list restores. */
export const restoreTable: ListedTable<StoredRestore> = {
  table: "restores",
  fields: { snapshot_uuid: "string", target: "string", create_time: "timestamp" },
  columns: {
    snapshot_uuid: "backup_uuid",
    target: "target",
    create_time: { sql: "created_at_ms", toParameter: toMilliseconds },
  },
  toItem: toRestore,
};

function columnsOf(change: RestoreChange): Columns {
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
