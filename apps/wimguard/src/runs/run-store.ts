import type { DatabaseSync } from "node:sqlite";
import { type RowWriter, setColumns } from "../catalog/row-writer.ts";
import { type ListedTable, toMilliseconds } from "../catalog/search-rows.ts";
import type { Warnings } from "../catalog/warning-list.ts";
import type { Failure } from "../failure/failure.ts";
import { RunKind, RunKindSchema, RunState, RunStateSchema } from "../gen/wimguard/v1/common_pb.ts";

export type RunKindName = "backup" | "restore" | "verify" | "drill" | "retention" | "prune" | "import";
export type RunStateName = "queued" | "running" | "completed" | "warned" | "failed" | "cancelled" | "skipped";

/** One execution of a job. */
export interface StoredRun {
  readonly uuid: string;
  readonly kind: RunKindName;
  readonly state: RunStateName;
  /** Empty for a run that no schedule has started. */
  readonly scheduleUuid: string;
  /** The backup, restore or snapshot that it is about. */
  readonly subjectUuid: string;
  /** Of the source, or of what was restored or read. */
  readonly bytes: number;
  /** What archives have grown by. */
  readonly storedBytes: number;
  readonly files: number;
  readonly warnings: Warnings;
  readonly failure: Failure | undefined;
  readonly message: string;
  /** Grows with every change of any run. */
  readonly revision: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

/** A request that has started a run. */
export interface StartingRequest {
  readonly id: string;
  readonly digest: string;
}

export interface RunRange {
  readonly fromMs: number;
  /** Not included. */
  readonly toMs: number;
  /** Empty for all. */
  readonly scheduleUuid: string;
}

export interface RunStore {
  insert(run: StoredRun, request: StartingRequest | undefined): void;
  /** What may change of a run. */
  update(run: StoredRun): void;
  get(uuid: string): StoredRun | undefined;
  findByRequest(id: string): { readonly run: StoredRun; readonly digest: string } | undefined;
  /** Those that have changed after a revision, in the order of their changes. */
  changedAfter(revision: number, limit: number): StoredRun[];
  lastRevision(): number;
  /** When the first run of a schedule was created. */
  firstOf(scheduleUuid: string): number | undefined;
  /** Those that were created in a time, of one schedule or of all, oldest first. */
  between(range: RunRange): StoredRun[];
  /** When the last good run of a kind ended. */
  lastGoodOf(kind: RunKindName): number | undefined;
  /** Those that had not ended, newest first. */
  unfinished(): StoredRun[];
  /** Forgets runs that were created before a time, and what happened in them. */
  removeBefore(timeMs: number): void;
}

export function createRunStore(database: DatabaseSync, rows: RowWriter): RunStore {
  const insert = database.prepare(
    `INSERT INTO runs (uuid, request_id, request_digest, kind, state, schedule_uuid, subject_uuid, revision, message, created_at_ms, ended_at_ms)
     VALUES (:uuid, :requestId, :requestDigest, :kind, :state, :scheduleUuid, :subjectUuid, :revision, :message, :createdAtMs, :endedAtMs)`,
  );
  const selectOne = database.prepare("SELECT * FROM runs WHERE uuid = ?");
  const selectRequest = database.prepare("SELECT * FROM runs WHERE request_id = ?");
  const selectChanged = database.prepare("SELECT * FROM runs WHERE revision > ? ORDER BY revision LIMIT ?");
  const selectLast = database.prepare("SELECT coalesce(max(revision), 0) AS revision FROM runs");
  const selectFirst = database.prepare("SELECT min(created_at_ms) AS first FROM runs WHERE schedule_uuid = ?");
  const selectUnfinished = database.prepare(
    "SELECT * FROM runs WHERE state IN ('queued', 'running') ORDER BY seq DESC",
  );
  const selectBetween = database.prepare(
    `SELECT * FROM runs WHERE created_at_ms >= ? AND created_at_ms < ? AND (? = '' OR schedule_uuid = ?)
     ORDER BY created_at_ms, seq`,
  );
  const selectLastGood = database.prepare(
    "SELECT max(ended_at_ms) AS last FROM runs WHERE kind = ? AND state IN ('completed', 'warned')",
  );
  const removeOld = database.prepare("DELETE FROM runs WHERE created_at_ms < ? AND ended_at_ms IS NOT NULL");
  const removeLogs = database.prepare("DELETE FROM run_logs WHERE run_uuid NOT IN (SELECT uuid FROM runs)");
  const { toItem } = runTable;
  return {
    insert(run, request) {
      const { uuid, kind, state, scheduleUuid, subjectUuid, revision, message, createdAtMs, endedAtMs = null } = run;
      const requested = { requestId: request?.id ?? null, requestDigest: request?.digest ?? null };
      const columns = { uuid, kind, state, scheduleUuid, subjectUuid, revision, message, createdAtMs, endedAtMs };
      rows.insert(() => void insert.run({ ...columns, ...requested }));
    },
    update(run) {
      const { uuid, state, bytes, storedBytes, files, warnings, failure, message, revision, startedAtMs, endedAtMs } =
        run;
      const columns = {
        state,
        subject_uuid: run.subjectUuid,
        bytes,
        stored_bytes: storedBytes,
        files,
        warnings: JSON.stringify(warnings.first),
        warning_count: warnings.count,
        failure: failure === undefined ? null : JSON.stringify(failure),
        message,
        revision,
        started_at_ms: startedAtMs ?? null,
        ended_at_ms: endedAtMs ?? null,
      };
      rows.change(() => setColumns(database, "runs", uuid, columns));
    },
    get(uuid) {
      const row = selectOne.get(uuid);
      return row === undefined ? undefined : toItem(row);
    },
    findByRequest(id) {
      const row = selectRequest.get(id);
      return row === undefined ? undefined : { run: toItem(row), digest: row.request_digest as string };
    },
    changedAfter: (revision, limit) => selectChanged.all(revision, limit).map(toItem),
    firstOf: (scheduleUuid) => (selectFirst.get(scheduleUuid)?.first as number | null) ?? undefined,
    lastRevision: () => Number(selectLast.get()?.revision),
    between: ({ fromMs, toMs, scheduleUuid }) =>
      selectBetween.all(fromMs, toMs, scheduleUuid, scheduleUuid).map(toItem),
    lastGoodOf: (kind) => (selectLastGood.get(kind)?.last as number | null) ?? undefined,
    unfinished: () => selectUnfinished.all().map(toItem),
    removeBefore(timeMs) {
      rows.change(() => {
        removeOld.run(timeMs);
        removeLogs.run();
      });
    },
  };
}

const kindOf: Readonly<Record<RunKindName, RunKind>> = {
  backup: RunKind.BACKUP,
  restore: RunKind.RESTORE,
  verify: RunKind.VERIFY,
  drill: RunKind.DRILL,
  retention: RunKind.RETENTION,
  prune: RunKind.PRUNE,
  import: RunKind.IMPORT,
};

const stateOf: Readonly<Record<RunStateName, RunState>> = {
  queued: RunState.QUEUED,
  running: RunState.RUNNING,
  completed: RunState.COMPLETED,
  warned: RunState.WARNED,
  failed: RunState.FAILED,
  cancelled: RunState.CANCELLED,
  skipped: RunState.SKIPPED,
};

/** Kind and state as clients see them. */
export function toRunEnums({ kind, state }: Pick<StoredRun, "kind" | "state">) {
  return { kind: kindOf[kind], state: stateOf[state] };
}

function nameOf<Name extends string>(values: Readonly<Record<Name, number>>, value: unknown): string {
  return (Object.keys(values) as Name[]).find((name) => values[name] === Number(value)) ?? "";
}

/** How clients list runs. */
export const runTable: ListedTable<StoredRun> = {
  table: "runs",
  fields: {
    kind: RunKindSchema,
    state: RunStateSchema,
    schedule_uuid: "string",
    subject_uuid: "string",
    start_time: "timestamp",
    create_time: "timestamp",
  },
  columns: {
    kind: { sql: "kind", toParameter: (value) => nameOf(kindOf, value) },
    state: { sql: "state", toParameter: (value) => nameOf(stateOf, value) },
    schedule_uuid: "schedule_uuid",
    subject_uuid: "subject_uuid",
    start_time: { sql: "coalesce(started_at_ms, created_at_ms)", toParameter: toMilliseconds },
    create_time: { sql: "created_at_ms", toParameter: toMilliseconds },
  },
  toItem: (row) => ({
    uuid: row.uuid as string,
    kind: row.kind as RunKindName,
    state: row.state as RunStateName,
    scheduleUuid: row.schedule_uuid as string,
    subjectUuid: row.subject_uuid as string,
    bytes: row.bytes as number,
    storedBytes: row.stored_bytes as number,
    files: row.files as number,
    warnings: { first: JSON.parse(row.warnings as string), count: row.warning_count as number },
    failure: row.failure === null ? undefined : (JSON.parse(row.failure as string) as Failure),
    message: row.message as string,
    revision: row.revision as number,
    createdAtMs: row.created_at_ms as number,
    startedAtMs: (row.started_at_ms as number | null) ?? undefined,
    endedAtMs: (row.ended_at_ms as number | null) ?? undefined,
  }),
};
