import type { EngineName } from "../engine/compression.ts";
import type { EngineEvents, ReadTask } from "../engine/engine.ts";
import { engines } from "../engine/engines.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import { readManifest } from "../manifest/manifest-file.ts";
import { compareTree } from "../restore/compare-tree.ts";

/** An archive to restore into a staging folder, which must not exist. */
export interface RestoreJob {
  readonly engine: EngineName;
  readonly task: ReadTask;
  /** Undefined for an archive without one. */
  readonly manifestPath: string | undefined;
  /** Compare what was restored with the manifest. */
  readonly verify: boolean;
}

export interface PerformedRestore {
  readonly files: number;
  /** Files whose content was compared with the manifest. */
  readonly verifiedFiles: number;
}

/** Restores into the staging folder, compares, and syncs. What it leaves on failure is its caller's to remove. */
export async function performRestore(
  files: DurableFiles,
  { engine, task, manifestPath, verify }: RestoreJob,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<PerformedRestore> {
  await files.makeFolder(task.folder);
  events.onPhase("reading");
  const entries = manifestPath === undefined ? undefined : () => readManifest(manifestPath);
  const restored = await engines[engine].restore(task, entries, events, signal);
  let verifiedFiles = 0;
  if (verify && entries !== undefined) {
    events.onPhase("verifying");
    verifiedFiles = await compareTree(task, entries, signal);
  }
  await files.syncTree(task.folder);
  return { files: restored.files, verifiedFiles };
}
