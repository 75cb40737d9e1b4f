import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { ArchiveIdentity } from "../archive/archive-identity.ts";
import type { EngineName } from "../engine/compression.ts";
import { type Failure, FailureError } from "../failure/failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import type { Warnings } from "./warning-list.ts";

/** `publishing` and `deleting` are moments between two durable acts; clients see `in_progress` and `completed`. */
export type BackupState = "in_progress" | "publishing" | "completed" | "failed" | "cancelled" | "deleting";

/** A backup that is about to start. */
export interface NewBackup {
  readonly uuid: string;
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly engine: EngineName;
  readonly compression: string;
  readonly description: string;
  readonly createdAtMs: number;
}

/** A backup of the catalogue. */
export interface StoredBackup extends NewBackup {
  readonly state: BackupState;
  /** The part file, until it is known to be gone. */
  readonly part: { readonly path: string; readonly device: string } | undefined;
  /** An empty file was created at the destination, to be replaced by the part. */
  readonly hasReservation: boolean;
  /** Bytes of the source. */
  readonly size: number;
  readonly files: number;
  readonly archive: ArchiveIdentity;
  readonly warnings: Warnings;
  readonly failure: Failure | undefined;
  readonly endedAtMs: number | undefined;
}

/** What changes in a backup. What is absent stays as it is. */
export interface BackupChange {
  readonly state?: BackupState;
  readonly part?: { readonly path: string; readonly device: string } | null;
  readonly hasReservation?: boolean;
  readonly size?: number;
  readonly files?: number;
  readonly archive?: ArchiveIdentity;
  readonly warnings?: Warnings;
  readonly failure?: Failure;
  readonly endedAtMs?: number;
}

/** The backups of the catalogue. Each write is a transaction that has survived when it returns. */
export interface BackupStore {
  insert(backup: NewBackup): void;
  change(uuid: string, change: BackupChange): void;
  remove(uuid: string): void;
  get(uuid: string): StoredBackup | undefined;
  /** Newest first. */
  list(limit: number, offset: number): StoredBackup[];
  count(): number;
  /** The backup that has written the file at a destination last, as far as it is known. */
  lastWriterOf(destination: string): string | undefined;
  /** Those that a crash may have left in the middle: their job had not ended, or their part may still exist. */
  unfinished(): StoredBackup[];
}

/** SQLITE_FULL. */
const fullCode = 13;

export function createBackupStore(database: DatabaseSync, files: DurableFiles): BackupStore {
  const insert = database.prepare(
    `INSERT INTO backups (uuid, name, source, destination, engine, compression, description, state, created_at_ms)
     VALUES (:uuid, :name, :source, :destination, :engine, :compression, :description, 'in_progress', :createdAtMs)`,
  );
  const remove = database.prepare("DELETE FROM backups WHERE uuid = :uuid");
  const selectOne = database.prepare("SELECT * FROM backups WHERE uuid = :uuid");
  const selectPage = database.prepare("SELECT * FROM backups ORDER BY seq DESC LIMIT :limit OFFSET :offset");
  const count = database.prepare("SELECT count(*) AS total FROM backups");
  const selectUnfinished = database.prepare(
    `SELECT * FROM backups WHERE state IN ('in_progress', 'publishing', 'deleting') OR part_path IS NOT NULL ORDER BY seq`,
  );
  const selectWriter = database.prepare(
    `SELECT uuid FROM backups WHERE destination = :destination AND state IN ('publishing', 'completed', 'deleting') AND sha256 <> ''
     ORDER BY seq DESC LIMIT 1`,
  );
  const write = (work: () => void): void => commitRow(database, files, work);
  return {
    insert: (backup) => write(() => void insert.run({ ...backup })),
    change: (uuid, change) => write(() => updateRow(database, "backups", uuid, columnsOf(change))),
    remove: (uuid) => write(() => void remove.run({ uuid })),
    get(uuid) {
      const row = selectOne.get({ uuid });
      return row === undefined ? undefined : toBackup(row);
    },
    list: (limit, offset) => selectPage.all({ limit, offset }).map(toBackup),
    lastWriterOf: (destination) => selectWriter.get({ destination })?.uuid as string | undefined,
    count: () => Number(count.get()?.total),
    unfinished: () => selectUnfinished.all().map(toBackup),
  };
}

/** @throws FailureError NO_SPACE when the disk of the catalogue is full */
export function commitRow(database: DatabaseSync, files: DurableFiles, work: () => void): void {
  try {
    files.commit(database, work);
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== fullCode) throw error;
    const message = "no space left for the catalogue: free some space in its folder";
    throw new FailureError({ reason: "NO_SPACE", message }, error);
  }
}

/** Sets columns of a row. Their names are ours, never a client's. */
export function updateRow(
  database: DatabaseSync,
  table: "backups" | "restores",
  uuid: string,
  columns: Readonly<Record<string, SQLInputValue>>,
): void {
  const names = Object.keys(columns);
  if (names.length === 0) return;
  const assignments = names.map((name) => `${name} = :${name}`).join(", ");
  database.prepare(`UPDATE ${table} SET ${assignments} WHERE uuid = :uuid`).run({ ...columns, uuid });
}

function columnsOf(change: BackupChange): Record<string, SQLInputValue> {
  const { state, part, hasReservation, size, files, archive, warnings, failure, endedAtMs } = change;
  return {
    ...(state !== undefined && { state }),
    ...(part !== undefined && { part_path: part?.path ?? null, part_device: part?.device ?? null }),
    ...(hasReservation !== undefined && { has_reservation: hasReservation ? 1 : 0 }),
    ...(size !== undefined && { size }),
    ...(files !== undefined && { files }),
    ...(archive !== undefined && {
      stored_bytes: archive.storedBytes,
      sha256: archive.sha256,
      device: archive.device,
      inode: archive.inode,
      mtime_ns: archive.mtimeNs,
    }),
    ...(warnings !== undefined && { warnings: JSON.stringify(warnings.first), warning_count: warnings.count }),
    ...(failure !== undefined && { failure: JSON.stringify(failure) }),
    ...(endedAtMs !== undefined && { ended_at_ms: endedAtMs }),
  };
}

function toBackup(row: Record<string, unknown>): StoredBackup {
  const text = (name: string): string => row[name] as string;
  const number = (name: string): number => row[name] as number;
  return {
    uuid: text("uuid"),
    name: text("name"),
    source: text("source"),
    destination: text("destination"),
    engine: text("engine") as EngineName,
    compression: text("compression"),
    description: text("description"),
    createdAtMs: number("created_at_ms"),
    state: text("state") as BackupState,
    part: row.part_path === null ? undefined : { path: text("part_path"), device: text("part_device") },
    hasReservation: row.has_reservation === 1,
    size: number("size"),
    files: number("files"),
    archive: {
      storedBytes: number("stored_bytes"),
      sha256: text("sha256"),
      device: text("device"),
      inode: text("inode"),
      mtimeNs: text("mtime_ns"),
    },
    warnings: { first: JSON.parse(text("warnings")), count: number("warning_count") },
    failure: row.failure === null ? undefined : (JSON.parse(text("failure")) as Failure),
    endedAtMs: row.ended_at_ms === null ? undefined : number("ended_at_ms"),
  };
}
