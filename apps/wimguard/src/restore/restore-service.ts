import type { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { requireArchive } from "../archive/require-archive.ts";
import { toImage } from "../archive/to-image.ts";
import type { BackupService } from "../backup/backup-service.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { StoredRestore } from "../catalog/restore-store.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { fail } from "../failure/failure.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import type { JobQueue, QueuedJob } from "../jobs/job-queue.ts";
import { readLastEntries } from "../manifest/last-entries.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { readManifest } from "../manifest/manifest-file.ts";
import { checkPath } from "../path/check-path.ts";
import { ProgressFeed } from "../progress/progress-feed.ts";
import type { TrackedJob } from "../runs/run-registry.ts";
import type { StartingRequest } from "../runs/run-store.ts";
import { checkPaths, requireSpace, resolveTarget } from "./check-restore.ts";
import type { Conflict, MergeOptions } from "./conflict.ts";
import { type MergePlan, planMerge } from "./plan-merge.ts";
import { everything, isSelected, selectPaths } from "./restore-selection.ts";
import { type RestoreParts, runRestore } from "./run-restore.ts";

/** What a client asks for. */
export interface RestoreRequest {
  /** Of a backup. */
  readonly uuid: string;
  readonly paths: readonly Uint8Array[];
  readonly target: string;
  readonly verify: boolean;
  readonly skipOwner: boolean;
  readonly conflict: Conflict;
  /** Remove what the backup does not have from a target that is used; not with `fail`. */
  readonly deleteExtra: boolean;
}

export interface StartedRestore {
  readonly uuid: string;
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<StoredRestore>;
}

/** What a restore would do. */
export interface RestorePlan extends MergePlan {
  readonly bytes: number;
  readonly freeBytes: number;
}

/** Restores as clients see them. Everything rejects with a FailureError. */
export interface RestoreService {
  plan(request: RestoreRequest): Promise<RestorePlan>;
  /** @param startedBy the request that is not to start another one */
  start(request: RestoreRequest, startedBy?: StartingRequest): Promise<StartedRestore>;
  get(uuid: string): StoredRestore;
}

export interface RestoreServiceParts extends RestoreParts {
  readonly stores: ArchiveStores;
  readonly backups: BackupService;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly use: ArchiveUse;
  /** Folders that targets must be in; undefined for anywhere. Normal, without links. */
  readonly targetRoots: readonly string[] | undefined;
  readonly track: (job: TrackedJob) => void;
}

interface CheckedRestore {
  readonly backup: StoredBackup;
  readonly target: string;
  readonly paths: readonly Buffer[];
  readonly merge: MergeOptions | undefined;
  readonly plan: RestorePlan;
}

export function createRestoreService(parts: RestoreServiceParts): RestoreService {
  const { stores, backups, restores, queue, probes, use } = parts;

  async function check(request: RestoreRequest): Promise<CheckedRestore> {
    const field = "snapshot_uuid";
    if (request.uuid === "")
      fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required: pass a backup's uuid` });
    const target = checkPath("target", request.target);
    const paths = checkPaths(request.paths);
    const backup = backups.get(request.uuid);
    await requireArchive(stores, backup);
    await probes.require(backup.engine);
    const { conflict, deleteExtra } = request;
    if (conflict === "fail" && deleteExtra) {
      const message = "delete_extra is for a target that is used: set conflict to SKIP, IF_CHANGED or OVERWRITE";
      fail({ reason: "FIELD_INVALID", field: "delete_extra", message });
    }
    const { path, isUsed } = await resolveTarget(target, conflict, parts.targetRoots);
    const merge = conflict !== "fail" && isUsed ? { conflict, deleteExtra } : undefined;
    const planned = await measure(manifestPathOf(parts.manifestFolder, backup.uuid), paths, merge && { path, merge });
    const freeBytes = await requireSpace(path, planned.bytes);
    return { backup, target: path, paths, merge, plan: { ...planned, freeBytes } };
  }

  return {
    async plan(request) {
      return (await check(request)).plan;
    },

    async start(request, startedBy) {
      const { backup, target, paths, merge, plan } = await check(request);
      queue.check(target);
      const uuid = randomUUID();
      restores.insert({ uuid, backupUuid: backup.uuid, target, createdAtMs: parts.nowMs() });
      const feed = new ProgressFeed();
      feed.update({ phase: "waiting", bytesDone: 0, bytesTotal: 0 });
      const { verify, skipOwner } = request;
      const endUse = use.begin(backup.uuid);
      const job = queue.add({
        uuid,
        path: target,
        run: (signal) =>
          runRestore(
            {
              uuid,
              backup,
              archive: toImage(stores, backup),
              target,
              paths,
              bytes: plan.bytes,
              verify,
              keepOwner: !skipOwner,
              merge,
            },
            parts,
            (progress) => feed.update(progress),
            signal,
          ).finally(() => {
            endUse();
            feed.end();
          }),
        onNeverRun(failure) {
          endUse();
          feed.end();
          restores.change(uuid, { state: "cancelled", failure, endedAtMs: parts.nowMs() });
        },
      });
      const by = startedBy === undefined ? {} : { request: startedBy };
      parts.track({ kind: "restore", subjectUuid: backup.uuid, job, feed, ...by });
      return { uuid, feed, job };
    },

    get(uuid) {
      if (uuid === "") fail({ reason: "FIELD_REQUIRED", field: "uuid", message: "uuid is required" });
      const shown = JSON.stringify(uuid.slice(0, 64));
      return (
        restores.get(uuid) ??
        fail({ reason: "RESTORE_NOT_FOUND", uuid: uuid.slice(0, 64), message: `restore ${shown} not found` })
      );
    },
  };
}

/** What would be done, by the manifest. */
async function measure(
  manifestPath: string,
  paths: readonly Buffer[],
  into: { readonly path: string; readonly merge: MergeOptions } | undefined,
): Promise<MergePlan & { readonly bytes: number }> {
  const selection = paths.length === 0 ? everything : await selectPaths(paths, readManifest(manifestPath));
  let [entries, bytes] = [0, 0];
  async function* selected(): AsyncGenerator<ManifestEntry> {
    for await (const entry of readLastEntries(manifestPath)) {
      const name = selection.nameOf(entry.path, entry.kind === "folder");
      if (name === undefined) continue;
      entries++;
      bytes += entry.size;
      yield { ...entry, path: name };
    }
  }
  if (into !== undefined) {
    const plan = await planMerge(into.path, selected(), into.merge, (path) => isSelected(paths, path));
    return { ...plan, bytes };
  }
  for await (const _ of selected());
  return { create: entries, overwrite: 0, delete: 0, unchanged: 0, bytes };
}
