import type { EngineName } from "../engine/compression.ts";
import type { EngineEvents, ReadTask } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { readManifest } from "../manifest/manifest-file.ts";
import { compareTree } from "../restore/compare-tree.ts";
import type { MergeOptions } from "../restore/conflict.ts";
import { mergeTree } from "../restore/merge-tree.ts";

/** An archive to restore into a staging folder, which must not exist. */
export interface RestoreJob {
  readonly engine: EngineName;
  readonly task: ReadTask;
  /** Undefined for an archive without one. */
  readonly manifestPath: string | undefined;
  /** Compare what was restored with the manifest. */
  readonly verify: boolean;
  /** Move what was restored into this folder, which exists; undefined leaves it where it was restored to. */
  readonly merge: (MergeOptions & { readonly target: string }) | undefined;
}

export interface PerformedRestore {
  readonly files: number;
  /** The folder that has become the source: the staging folder, or one inside of it. */
  readonly folder: string;
  /** Files whose content was compared with the manifest. */
  readonly verifiedFiles: number;
}

/** Restores into the staging folder, compares, and syncs. What it leaves on failure is its caller's to remove. */
export async function performRestore(
  files: DurableFiles,
  { engine, task, manifestPath, verify, merge }: RestoreJob,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedRestore> {
  await files.makeFolder(task.folder);
  events.onPhase("reading");
  const entries = manifestPath === undefined ? undefined : () => readManifest(manifestPath);
  const restored = await engines[engine].restore(task, entries, events, signal);
  const { folder = task.folder } = restored;
  let verifiedFiles = 0;
  if (verify && entries !== undefined) {
    events.onPhase("verifying");
    verifiedFiles = await compareTree({ ...task, folder }, entries, signal);
  }
  if (merge !== undefined) {
    events.onPhase("publishing");
    const { folder: kept, paths, keepOwner } = task;
    await mergeTree({ ...merge, staging: folder, kept, paths, keepOwner }, events, signal);
  }
  await files.syncTree(merge?.target ?? task.folder);
  return { files: restored.files, verifiedFiles, folder };
}
