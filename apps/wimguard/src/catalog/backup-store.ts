import type { DatabaseSync } from "node:sqlite";
import type { ArchiveIdentity } from "../archive/archive-identity.ts";
import type { EngineName } from "../engine/compression.ts";
import type { Failure } from "../failure/failure.ts";
import { type Columns, type RowWriter, setColumns } from "./row-writer.ts";
import type { Warnings } from "./warning-list.ts";

/** State of a backup. `publishing` and `deleting` are between two durable acts; clients see `in_progress` and `completed`. */
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
  /** Exclude rules, as text; empty for none. */
  readonly rules: string;
  /** The uuid of the first backup in the file, which all backups in it share. */
  readonly archiveId: string;
  /** Empty for a backup that was not started by a schedule. */
  readonly scheduleUuid: string;
  readonly createdAtMs: number;
}

/** A backup in the catalogue. */
export interface StoredBackup extends NewBackup {
  readonly state: BackupState;
  /** The part file, until its removal is certain. */
  readonly part: { readonly path: string; readonly device: string } | undefined;
  /** Whether an empty file at the destination reserves its name. */
  readonly hasReservation: boolean;
  /** Bytes of the source. */
  readonly size: number;
  readonly files: number;
  /** The file, which may contain other backups. */
  readonly archive: ArchiveIdentity;
  /** Its number in the file, from 1. */
  readonly image: number;
  /** The folder in a snapshot of a repository that paths are relative to; empty for a file. */
  readonly root: string;
  /** Bytes that the backup added to the file. */
  readonly addedBytes: number;
  readonly warnings: Warnings;
  readonly failure: Failure | undefined;
  readonly endedAtMs: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it is protected from deletion. */
  readonly isPinned: boolean;
  /** Number of changes by clients. */
  readonly revision: number;
  readonly verifiedAtMs: number | undefined;
  readonly drilledAtMs: number | undefined;
  /** Time at which retention deletes it. */
  readonly purgeAtMs: number | undefined;
  /** Whether a check found that the archive cannot be restored. */
  readonly isDamaged: boolean;
  readonly envUuid: string;
}

/** Changes of a backup. Absent fields are not changed. */
export interface BackupChange {
  readonly state?: BackupState;
  readonly part?: { readonly path: string; readonly device: string } | null;
  readonly hasReservation?: boolean;
  readonly size?: number;
  readonly files?: number;
  readonly archive?: ArchiveIdentity;
  readonly image?: number;
  readonly root?: string;
  readonly addedBytes?: number;
  readonly warnings?: Warnings;
  readonly failure?: Failure;
  readonly endedAtMs?: number;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly isPinned?: boolean;
  readonly revision?: number;
  readonly verifiedAtMs?: number;
  readonly drilledAtMs?: number;
  readonly purgeAtMs?: number | null;
  readonly isDamaged?: boolean;
  readonly envUuid?: string;
}

/** The backups of the catalogue. Each write is a transaction that is durable when it returns. */
export interface BackupStore {
  insert(backup: NewBackup): void;
  change(uuid: string, change: BackupChange): void;
  remove(uuid: string): void;
  get(uuid: string): StoredBackup | undefined;
  /** Lists backups, newest first. */
  list(limit: number, offset: number): StoredBackup[];
  count(): number;
  /** Returns the `archiveId` of the file that was last written to a destination, if known. */
  archiveAt(destination: string): string | undefined;
  /** Returns the ids of the snapshots of completed backups in a repository. */
  snapshotsIn(destination: string): string[];
  /** Returns the other completed backups in the same file, in order. */
  othersIn(backup: Pick<StoredBackup, "archiveId" | "uuid">): StoredBackup[];
  /** Completes a backup that was added to a file, and updates the identity of the file. */
  completeShared(uuid: string, change: BackupChange): void;
  /** Removes a backup that was removed from a file, and updates the identity of the file. */
  removeShared(backup: Pick<StoredBackup, "archiveId" | "uuid" | "image" | "archive">): void;
  /** Returns the completed backups of a schedule, oldest first. */
  ofSchedule(scheduleUuid: string): StoredBackup[];
  /** Returns the newest of them. */
  newestOf(scheduleUuid: string): StoredBackup | undefined;
  /** Returns how many there are. */
  countOf(scheduleUuid: string): number;
  /** Returns the end time of the last completed backup of a schedule, in milliseconds since 1970. */
  lastGoodOf(scheduleUuid: string): number | undefined;
  /** Returns the backups that retention deletes at or before a time. */
  toPurge(untilMs: number): StoredBackup[];
  /** Returns the newest completed backup of the same source, rules, engine and compression. */
  newestLike(backup: Pick<NewBackup, "source" | "engine" | "compression" | "rules">): StoredBackup | undefined;
  /** Returns the backups that a crash may have interrupted: their job had not ended, or their part may still exist. */
  unfinished(): StoredBackup[];
  /** Returns the stored bytes of completed backups, and the end time of the last one in milliseconds since 1970; 0 without one. */
  summary(): { readonly storedBytes: number; readonly lastEndMs: number };
}

export function createBackupStore(database: DatabaseSync, rows: RowWriter): BackupStore {
  const insert = database.prepare(
    `INSERT INTO backups (uuid, name, source, destination, engine, compression, description, rules, archive_id, schedule_uuid, state, created_at_ms)
     VALUES (:uuid, :name, :source, :destination, :engine, :compression, :description, :rules, :archiveId, :scheduleUuid, 'in_progress', :createdAtMs)`,
  );
  const remove = database.prepare("DELETE FROM backups WHERE uuid = :uuid");
  const selectOne = database.prepare("SELECT * FROM backups WHERE uuid = :uuid");
  const selectPage = database.prepare(
    "SELECT * FROM backups ORDER BY created_at_ms DESC, seq DESC LIMIT :limit OFFSET :offset",
  );
  const count = database.prepare("SELECT count(*) AS total FROM backups");
  const selectUnfinished = database.prepare(
    `SELECT * FROM backups WHERE state IN ('in_progress', 'publishing', 'deleting') OR part_path IS NOT NULL ORDER BY seq`,
  );
  const selectWriter = database.prepare(
    `SELECT archive_id FROM backups WHERE destination = :destination AND state IN ('publishing', 'completed', 'deleting') AND sha256 <> ''
     ORDER BY seq DESC LIMIT 1`,
  );
  const selectIds = database.prepare(
    "SELECT sha256 FROM backups WHERE destination = :destination AND state IN ('publishing', 'completed', 'deleting') AND sha256 <> ''",
  );
  const selectSummary = database.prepare(
    "SELECT coalesce(sum(added_bytes), 0) AS stored, coalesce(max(ended_at_ms), 0) AS last FROM backups WHERE state = 'completed'",
  );
  const selectOthers = database.prepare(
    "SELECT * FROM backups WHERE archive_id = :archiveId AND uuid <> :uuid AND state = 'completed' ORDER BY image",
  );
  const updateArchive = database.prepare(
    `UPDATE backups SET stored_bytes = :storedBytes, sha256 = :sha256, device = :device, inode = :inode, mtime_ns = :mtimeNs
     WHERE archive_id = :archiveId AND state = 'completed'`,
  );
  const shiftImages = database.prepare(
    "UPDATE backups SET image = image - 1 WHERE archive_id = :archiveId AND image > :image AND state = 'completed'",
  );
  const moveArchive = (archiveId: string, archive: ArchiveIdentity): void =>
    void updateArchive.run({ archiveId, ...archive });
  const selectSchedule = database.prepare(
    "SELECT * FROM backups WHERE schedule_uuid = :scheduleUuid AND state = 'completed' ORDER BY created_at_ms, seq",
  );
  const selectNewest = database.prepare(
    `SELECT * FROM backups WHERE schedule_uuid = :scheduleUuid AND state = 'completed'
     ORDER BY created_at_ms DESC, seq DESC LIMIT 1`,
  );
  const countSchedule = database.prepare(
    "SELECT count(*) AS total FROM backups WHERE schedule_uuid = :scheduleUuid AND state = 'completed'",
  );
  const selectLastGood = database.prepare(
    "SELECT max(ended_at_ms) AS last FROM backups WHERE schedule_uuid = :scheduleUuid AND state = 'completed'",
  );
  const selectPurge = database.prepare(
    "SELECT * FROM backups WHERE purge_at_ms <= :untilMs AND is_pinned = 0 AND state = 'completed' ORDER BY seq",
  );
  const selectLike = database.prepare(
    `SELECT * FROM backups WHERE source = :source AND engine = :engine AND compression = :compression AND rules = :rules AND state = 'completed'
     ORDER BY seq DESC LIMIT 1`,
  );
  return {
    insert: (backup) => rows.insert(() => void insert.run({ ...backup })),
    change: (uuid, change) => rows.update("backups", uuid, columnsOf(change)),
    remove: (uuid) => rows.change(() => void remove.run({ uuid })),
    get(uuid) {
      const row = selectOne.get({ uuid });
      return row === undefined ? undefined : toBackup(row);
    },
    list: (limit, offset) => selectPage.all({ limit, offset }).map(toBackup),
    archiveAt: (destination) => selectWriter.get({ destination })?.archive_id as string | undefined,
    snapshotsIn: (destination) => selectIds.all({ destination }).map((row) => row.sha256 as string),
    othersIn: ({ archiveId, uuid }) => selectOthers.all({ archiveId, uuid }).map(toBackup),
    completeShared(uuid, change) {
      rows.change(() => {
        setColumns(database, "backups", uuid, columnsOf(change));
        const backup = toBackup(selectOne.get({ uuid }) as Record<string, unknown>);
        moveArchive(backup.archiveId, backup.archive);
      });
    },
    removeShared({ archiveId, uuid, image, archive }) {
      rows.change(() => {
        remove.run({ uuid });
        moveArchive(archiveId, archive);
        shiftImages.run({ archiveId, image });
      });
    },
    newestLike({ source, engine, compression, rules }) {
      const row = selectLike.get({ source, engine, compression, rules });
      return row === undefined ? undefined : toBackup(row);
    },
    ofSchedule: (scheduleUuid) => selectSchedule.all({ scheduleUuid }).map(toBackup),
    newestOf(scheduleUuid) {
      const row = selectNewest.get({ scheduleUuid });
      return row === undefined ? undefined : toBackup(row);
    },
    countOf: (scheduleUuid) => Number(countSchedule.get({ scheduleUuid })?.total),
    lastGoodOf: (scheduleUuid) => (selectLastGood.get({ scheduleUuid })?.last as number | null) ?? undefined,
    toPurge: (untilMs) => selectPurge.all({ untilMs }).map(toBackup),
    count: () => Number(count.get()?.total),
    unfinished: () => selectUnfinished.all().map(toBackup),
    summary() {
      const { stored, last } = selectSummary.get() as { stored: number; last: number };
      return { storedBytes: stored, lastEndMs: last };
    },
  };
}

function columnsOf(change: BackupChange): Columns {
  const { state, part, hasReservation, size, files, archive, image, root, addedBytes, warnings, failure, endedAtMs } =
    change;
  const { description, tags, isPinned, revision, verifiedAtMs, drilledAtMs, purgeAtMs, isDamaged, envUuid } = change;
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
    ...(image !== undefined && { image }),
    ...(root !== undefined && { root }),
    ...(addedBytes !== undefined && { added_bytes: addedBytes }),
    ...(warnings !== undefined && { warnings: JSON.stringify(warnings.first), warning_count: warnings.count }),
    ...(failure !== undefined && { failure: JSON.stringify(failure) }),
    ...(endedAtMs !== undefined && { ended_at_ms: endedAtMs }),
    ...(description !== undefined && { description }),
    ...(tags !== undefined && { tags: JSON.stringify(tags) }),
    ...(isPinned !== undefined && { is_pinned: isPinned ? 1 : 0 }),
    ...(revision !== undefined && { revision }),
    ...(verifiedAtMs !== undefined && { verified_at_ms: verifiedAtMs }),
    ...(drilledAtMs !== undefined && { drilled_at_ms: drilledAtMs }),
    ...(purgeAtMs !== undefined && { purge_at_ms: purgeAtMs }),
    ...(isDamaged !== undefined && { is_damaged: isDamaged ? 1 : 0 }),
    ...(envUuid !== undefined && { env_uuid: envUuid }),
  };
}

/** Converts a row of the table. */
export function toBackup(row: Record<string, unknown>): StoredBackup {
  const text = (name: string): string => row[name] as string;
  const number = (name: string): number => row[name] as number;
  const optionalNumber = (name: string): number | undefined => (row[name] === null ? undefined : number(name));
  return {
    uuid: text("uuid"),
    name: text("name"),
    source: text("source"),
    destination: text("destination"),
    engine: text("engine") as EngineName,
    compression: text("compression"),
    description: text("description"),
    rules: text("rules"),
    archiveId: text("archive_id"),
    image: number("image"),
    root: text("root"),
    addedBytes: number("added_bytes"),
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
    endedAtMs: optionalNumber("ended_at_ms"),
    tags: JSON.parse(text("tags")) as Record<string, string>,
    isPinned: row.is_pinned === 1,
    revision: number("revision"),
    verifiedAtMs: optionalNumber("verified_at_ms"),
    drilledAtMs: optionalNumber("drilled_at_ms"),
    purgeAtMs: optionalNumber("purge_at_ms"),
    isDamaged: row.is_damaged === 1,
    envUuid: text("env_uuid"),
    scheduleUuid: text("schedule_uuid"),
  };
}
