import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { deleteBackup } from "../archive/delete-archive.ts";
import { destinationExists } from "../archive/publish-archive.ts";
import { requireArchive } from "../archive/require-archive.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { RegisteredDestination, RegisteredSource } from "../catalog/registered-items.ts";
import { chooseEngine, type EngineChoice } from "../engine/choose-engine.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { checkRepository, isRepository } from "../engine/restic/repository/repository-location.ts";
import { secretEnvironment } from "../engine/restic/repository/repository-secret.ts";
import { fail } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { JobQueue, QueuedJob } from "../jobs/job-queue.ts";
import { checkPath, nameOfSource } from "../path/check-path.ts";
import { ProgressFeed } from "../progress/progress-feed.ts";
import { checkExcludes } from "../registry/check-items.ts";
import { expandTemplate, type TemplateValues } from "../registry/name-template.ts";
import type { TrackedJob } from "../runs/run-registry.ts";
import type { StartingRequest } from "../runs/run-store.ts";
import { checkTags, type Tags } from "../snapshot/check-tags.ts";
import { formatRules, noRules } from "../source/source-rules.ts";
import { checkDescription } from "./check-description.ts";
import { resolveDestination } from "./check-destination.ts";
import { resolveRepository } from "./check-repository.ts";
import { type BackupParts, runBackup } from "./run-backup.ts";

/** A backup that a client requests. */
export interface BackupRequest {
  readonly source: string;
  readonly destination: string;
  readonly compression: string;
  readonly description: string;
  /** The schedule that starts the backup. */
  readonly scheduleUuid?: string;
  /** The request, which must not start a second backup. */
  readonly startedBy?: StartingRequest;
  /** Whether an unreadable path is skipped with a warning (the default) or fails the backup. */
  readonly unreadable?: "skip" | "fail";
  /** Excludes in addition to those of the source; patterns as in .gitignore. */
  readonly excludes?: readonly string[];
  /** Tags of the snapshot. */
  readonly tags?: Tags;
}

/** An accepted backup, whose record exists. */
export interface StartedBackup {
  readonly uuid: string;
  readonly source: string;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<StoredBackup>;
}

/** The operations on backups. All methods reject with FailureError. */
export interface BackupService {
  /** Validates the request and adds the backup to the queue. */
  start(request: BackupRequest): Promise<StartedBackup>;
  get(uuid: string): StoredBackup;
  /** Lists backups, newest first. */
  list(limit: number, offset: number): { readonly backups: StoredBackup[]; readonly total: number };
  delete(uuid: string): Promise<void>;
  /** Throws what `delete` would throw before it deletes anything. */
  checkDelete(backup: StoredBackup): void;
}

export interface BackupServiceParts extends BackupParts {
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  /** Finds a registered source by name. */
  readonly findSource: (name: string) => RegisteredSource | undefined;
  readonly findDestination: (name: string) => RegisteredDestination | undefined;
  readonly track: (job: TrackedJob) => void;
}

const defaultPageSize = 20;
const maxPageSize = 1000;

export function createBackupService(parts: BackupServiceParts): BackupService {
  const { stores, queue, probes, use } = parts;
  /** Backups that are being deleted, which a second call does not find. */
  const deleting = new Set<string>();

  function find(uuid: string): StoredBackup {
    if (uuid === "") fail({ reason: "FIELD_REQUIRED", field: "uuid", message: "uuid is required" });
    const backup = deleting.has(uuid) ? undefined : stores.backups.get(uuid);
    return (
      backup ??
      fail({
        reason: "BACKUP_NOT_FOUND",
        uuid: uuid.slice(0, 64),
        message: `backup ${JSON.stringify(uuid.slice(0, 64))} not found`,
      })
    );
  }

  /**
   * Returns the last backup in the file that another one is added to.
   *
   * @throws FailureError DESTINATION_EXISTS for a file that backups must not be added to, or that WimGuard did not write
   */
  async function findBase(path: string, isAppend: boolean): Promise<StoredBackup> {
    const archiveId = isAppend ? stores.backups.archiveAt(path) : undefined;
    const inFile = archiveId === undefined ? [] : stores.backups.othersIn({ archiveId, uuid: "" });
    const last = inFile.at(-1);
    if (last === undefined) return destinationExists(path);
    if (inFile.some(({ uuid }) => deleting.has(uuid))) {
      fail({
        reason: "DESTINATION_BUSY",
        path,
        message: `a backup in ${path} is being deleted: try again in a moment`,
      });
    }
    await requireArchive(stores, last);
    return last;
  }

  function checkDelete({ uuid, state, isPinned, destination, archiveId }: StoredBackup): void {
    if (state === "in_progress" || state === "publishing") {
      const message = `backup ${uuid} is still running: cancel it, or wait until it ends`;
      fail({ reason: "BACKUP_NOT_COMPLETED", uuid, message });
    }
    if (isPinned) {
      fail({ reason: "SNAPSHOT_PINNED", uuid, message: `snapshot ${uuid} is pinned: unpin it before you delete it` });
    }
    // The image number of another backup in the same file may change.
    const others = stores.backups.othersIn({ archiveId, uuid });
    const isInUse = [uuid, ...others.map((other) => other.uuid)].some((one) => use.isInUse(one));
    // restic removes a snapshot only when no other program uses the repository.
    const isShared = others.length > 0 || isRepository(destination);
    if (isInUse || (isShared && queue.writerOf(destination) !== undefined)) {
      const message = `another job is using the file of backup ${uuid}: wait until it ends, then delete the backup`;
      fail({ reason: "BACKUP_IN_USE", uuid, message });
    }
  }

  return {
    get: find,
    checkDelete,

    async start(request) {
      const { source, rules, tags, destination, isAppend, choice, description } = checkRequest(request, parts);
      await probes.require(choice.engine);
      if (choice.engine === "wim") await refuseFile(source);
      const { path: resolved, exists } = isRepository(destination)
        ? await resolveRepository(destination)
        : await resolveDestination(destination);
      if (choice.engine === "restic") secretEnvironment(stores.repositories.secretRefOf(resolved));
      await queue.makeWay(resolved);
      queue.check(resolved);
      const base = exists ? await findBase(resolved, isAppend) : undefined;
      const uuid = randomUUID();
      const createdAtMs = stores.nowMs();
      const name = nameOfSource(source);
      const compression = formatCompression(choice);
      if (base !== undefined && request.compression !== "" && compression !== base.compression) {
        const message = `${resolved} is compressed with ${base.compression}: leave compression empty, or choose another file`;
        fail({ reason: "FIELD_INVALID", field: "compression", message });
      }
      stores.backups.insert({
        uuid,
        name,
        source,
        destination: resolved,
        engine: choice.engine,
        compression: base?.compression ?? compression,
        description,
        rules: formatRules(rules),
        archiveId: base?.archiveId ?? uuid,
        scheduleUuid: request.scheduleUuid ?? "",
        createdAtMs,
      });
      if (Object.keys(tags).length > 0) stores.backups.change(uuid, { tags });
      const feed = new ProgressFeed();
      feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
      const job = queue.add({
        uuid,
        path: resolved,
        run: (signal) =>
          runBackup(
            {
              uuid,
              source,
              rules,
              unreadable: request.unreadable ?? "skip",
              destination: resolved,
              isAppend,
              base,
              choice,
              name,
              description,
              createdAtMs,
            },
            parts,
            (progress) => feed.update(progress),
            signal,
          ).finally(() => feed.end()),
        onNeverRun(failure) {
          feed.end();
          stores.backups.change(uuid, { state: "cancelled", failure, endedAtMs: stores.nowMs() });
        },
      });
      const { scheduleUuid = "", startedBy } = request;
      const by = startedBy === undefined ? {} : { request: startedBy };
      try {
        parts.track({ kind: "backup", subjectUuid: uuid, job, feed, scheduleUuid, ...by });
      } catch (error) {
        // The job is cancelled then. After the error, a client must not find the backup in progress or cancelled.
        const isComplete = await job.done.then(
          () => true,
          () => false,
        );
        const end = { state: "failed", failure: toFailure(error), endedAtMs: stores.nowMs() } as const;
        if (!isComplete) stores.backups.change(uuid, end);
        throw error;
      }
      return { uuid, source, feed, job };
    },

    list(limit, offset) {
      if (limit < 0)
        fail({ reason: "FIELD_INVALID", field: "limit", message: `invalid limit ${limit}: use 0 or more` });
      if (offset < 0)
        fail({ reason: "FIELD_INVALID", field: "offset", message: `invalid offset ${offset}: use 0 or more` });
      const pageSize = limit === 0 ? defaultPageSize : Math.min(limit, maxPageSize);
      return { backups: stores.backups.list(pageSize, offset), total: stores.backups.count() };
    },

    async delete(uuid) {
      const backup = find(uuid);
      checkDelete(backup);
      deleting.add(uuid);
      try {
        await queue.makeWay(backup.destination);
        await deleteBackup(stores, backup);
      } finally {
        deleting.delete(uuid);
      }
    },
  };
}

type NameParts = Pick<BackupServiceParts, "findSource" | "findDestination" | "stores">;

/** Validates source and destination: absolute paths, or registered names. */
function checkRequest(request: BackupRequest, { findSource, findDestination, stores }: NameParts) {
  const registered = findSource(request.source);
  const source = registered?.path ?? checkPath("source", request.source);
  const { excludes, oneFileSystem } = registered ?? noRules;
  const rules = { excludes: [...excludes, ...checkExcludes("excludes", request.excludes ?? [])], oneFileSystem };
  const tags = checkTags(request.tags ?? {}, "tags");
  const target = findDestination(request.destination);
  const values = { name: nameOfSource(source), timeMs: stores.nowMs() };
  const destination = destinationOf(request.destination, target, values);
  const description = checkDescription(request.description);
  const choice = chooseEngine(destination, request.compression);
  const isAppend = target?.isAppend === true;
  return { source, rules, tags, destination, isAppend, description, choice };
}

/** Resolves a destination: a repository, a path, or a file in a registered folder. */
function destinationOf(text: string, target: RegisteredDestination | undefined, values: TemplateValues): string {
  if (target?.engine === "restic") return target.url;
  if (target !== undefined) return join(target.url, expandTemplate(target.template, values));
  return isRepository(text) ? checkRepository("destination", text) : checkPath("destination", text);
}

function formatCompression({ compression: { method, level } }: EngineChoice): string {
  return level === undefined ? method : `${method}:${level}`;
}

/** Rejects a source that is a file. The job itself reports a source that does not exist. */
async function refuseFile(source: string): Promise<void> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  const message = `the source ${source} is not a folder, and a .wim file can only store folders: use .tar.zst`;
  fail({ reason: "SOURCE_NOT_FOLDER", field: "source", path: source, engine: "wim", message });
}
