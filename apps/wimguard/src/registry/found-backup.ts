import type { ArchiveStores } from "../archive/archive-stores.ts";
import type { NewBackup } from "../catalog/backup-store.ts";
import type { ArchiveImage } from "../engine/engine.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { TrackedJob } from "../runs/run-registry.ts";
import type { EngineRunner } from "../thread/engine-runner.ts";

export interface ImportParts {
  readonly stores: ArchiveStores;
  readonly runner: EngineRunner;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly track: (job: TrackedJob) => void;
}

/** A backup that is not in the catalogue. */
export interface FoundBackup {
  readonly backup: NewBackup;
  /** Where it is. */
  readonly archive: ArchiveImage;
}
