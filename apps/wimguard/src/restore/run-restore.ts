import type { Buffer } from "node:buffer";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import { manifestPathOf, mergeStagingPathOf, stagingPathOf } from "../archive/archive-paths.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { RestoreStore, StoredRestore } from "../catalog/restore-store.ts";
import { WarningList } from "../catalog/warning-list.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import { fail, throwIfCancelled } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { createJobEvents } from "../progress/job-events.ts";
import { ProgressCounter } from "../progress/progress-counter.ts";
import type { JobProgress } from "../progress/progress-feed.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";
import { refuseUsedTarget } from "./check-restore.ts";
import type { MergeOptions } from "./conflict.ts";
import { moveFolder } from "./move-folder.ts";

/** A restore whose record exists. */
export interface RestoreWork {
  readonly uuid: string;
  readonly backup: StoredBackup;
  /** Where it is. */
  readonly archive: ArchiveImage;
  readonly target: string;
  readonly paths: readonly Buffer[];
  readonly keepOwner: boolean;
  readonly verify: boolean;
  /** Bytes to restore. */
  readonly bytes: number;
  /** How to treat what the target has; undefined for a target that is new or empty. */
  readonly merge: MergeOptions | undefined;
}

export interface RestoreParts {
  readonly files: DurableFiles;
  readonly restores: RestoreStore;
  readonly manifestFolder: string;
  readonly runner: EngineRunner;
  readonly log: Log;
  nowMs(): number;
}

/**
 * Restores into a folder next to the target, which takes the target's name when it is complete and synced. After a failure or a cancel
 * the target is as it was. With `merge` the folder is inside the target, and when it is complete its entries are moved, one by one.
 *
 * @throws FailureError
 */
export async function runRestore(
  work: RestoreWork,
  parts: RestoreParts,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<StoredRestore> {
  const { uuid, backup, target, merge } = work;
  const { files, restores, runner, log } = parts;
  const warnings = new WarningList();
  const counter = new ProgressCounter();
  counter.setTotal(work.bytes);
  const staging = merge === undefined ? stagingPathOf(target, uuid) : mergeStagingPathOf(target, uuid);
  try {
    const device = String((await stat(dirname(staging), { bigint: true })).dev);
    restores.change(uuid, { staging: { path: staging, device } });
    const restored = await runner.restore(
      {
        engine: backup.engine,
        task: { ...work.archive, folder: staging, paths: work.paths, keepOwner: work.keepOwner },
        manifestPath: manifestPathOf(parts.manifestFolder, backup.uuid),
        verify: work.verify,
        merge: merge && { ...merge, target },
      },
      createJobEvents(counter, warnings, onProgress),
      signal,
    );
    throwIfCancelled(signal);
    if (merge === undefined) {
      await refuseUsedTarget(target);
      await moveFolder(files, restored.folder, target);
      if (restored.folder !== staging) await files.removeTree(staging);
      await files.syncFolder(dirname(target));
    } else {
      await files.removeTree(staging);
      await files.syncFolder(target);
    }
    const bytes = counter.finish(work.bytes);
    const { verifiedFiles } = restored;
    const end = { files: restored.files, bytes, verifiedFiles, warnings: warnings.value, endedAtMs: parts.nowMs() };
    restores.change(uuid, { state: "completed", staging: null, ...end });
  } catch (error) {
    const failure = toFailure(error);
    await undoRestore(parts, uuid, staging, failure).catch((problem) => {
      // The record still names what is left, so the next start removes it.
      log.error("what a restore has written could not be removed", { uuid, staging, error: thrownText(problem) });
    });
    fail({ ...failure, uuid }, error);
  }
  return restores.get(uuid) ?? fail({ reason: "RESTORE_NOT_FOUND", uuid, message: `restore ${uuid} not found` });
}

async function undoRestore(parts: RestoreParts, uuid: string, staging: string, failure: ReturnType<typeof toFailure>) {
  await parts.files.removeTree(staging);
  await parts.files.syncFolder(dirname(staging));
  const state = failure.reason === "CANCELLED" ? "cancelled" : "failed";
  parts.restores.change(uuid, { state, failure, staging: null, endedAtMs: parts.nowMs() });
}

/** Ends restores that the last daemon had not ended, and removes their staging folders. */
export async function recoverRestores(parts: Pick<RestoreParts, "files" | "restores" | "nowMs">): Promise<number> {
  const unfinished = parts.restores.unfinished();
  for (const { uuid, staging, state } of unfinished) {
    const isGone = staging === undefined || (await removeStaging(parts.files, staging));
    parts.restores.change(uuid, {
      ...(state === "in_progress" && {
        state: "failed",
        failure: { reason: "STOPPING", message: "interrupted: the daemon ended while the restore ran" },
        endedAtMs: parts.nowMs(),
      }),
      ...(isGone && { staging: null }),
    });
  }
  return unfinished.length;
}

async function removeStaging(
  files: DurableFiles,
  { path, device }: { path: string; device: string },
): Promise<boolean> {
  const folder = await stat(dirname(path), { bigint: true }).catch(() => undefined);
  if (folder === undefined || String(folder.dev) !== device) return false;
  await files.removeTree(path);
  await files.syncFolder(dirname(path));
  return true;
}
