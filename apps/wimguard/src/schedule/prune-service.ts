import { randomUUID } from "node:crypto";
import type { Repositories } from "../archive/archive-stores.ts";
import type { RepositoryStore } from "../catalog/repository-store.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { pruneRepository } from "../engine/restic/repository/repository-upkeep.ts";
import { FailureError } from "../failure/failure.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { ProgressFeed } from "../progress/progress-feed.ts";
import type { JobOutcome, TrackedJob } from "../runs/run-registry.ts";

export interface PruneServiceParts {
  readonly store: RepositoryStore;
  readonly repositories: Pick<Repositories, "secretRefOf">;
  readonly queue: JobQueue;
  readonly probes: EngineProbes;
  readonly track: (job: TrackedJob) => void;
  nowMs(): number;
}

/** Removes data from repositories that no snapshot needs any more. */
export interface PruneService {
  /**
   * Starts a run for each repository in which something was removed, at most one a day: it may move a lot of data. A backup does not wait for it:
   * it is cancelled, and tried again later.
   */
  startDue(): void;
}

const dayMs = 86_400_000;
/** One that has failed or was cancelled is tried again after this. */
const retryAfterMs = 3_600_000;

export function createPruneService(parts: PruneServiceParts): PruneService {
  const { store, repositories, queue, probes, track, nowMs } = parts;
  const triedAtMs = new Map<string, number>();

  async function prune(repository: string, feed: ProgressFeed, signal: AbortSignal): Promise<JobOutcome> {
    const startedAtMs = nowMs();
    feed.update({ phase: "reading", bytesDone: 0, bytesTotal: 0 });
    await probes.require("restic");
    await pruneRepository({ repository, secretRef: repositories.secretRefOf(repository) }, signal);
    store.pruned(repository, startedAtMs, nowMs());
    return { warnings: { first: [], count: 0 }, files: 0 };
  }

  function start(repository: string): void {
    triedAtMs.set(repository, nowMs());
    const feed = new ProgressFeed();
    const job = queue.add({
      uuid: randomUUID(),
      path: repository,
      givesWay: true,
      run: (signal) => prune(repository, feed, signal).finally(() => feed.end()),
      onNeverRun: () => feed.end(),
    });
    track({ kind: "prune", subjectUuid: "", job, feed });
  }

  return {
    startDue() {
      for (const repository of store.toPrune(nowMs() - dayMs)) {
        const lastTryMs = triedAtMs.get(repository) ?? Number.NEGATIVE_INFINITY;
        if (queue.writerOf(repository) !== undefined || nowMs() - lastTryMs < retryAfterMs) continue;
        try {
          start(repository);
        } catch (error) {
          // A queue that is full has room later.
          if (!(error instanceof FailureError)) throw error;
          triedAtMs.delete(repository);
        }
      }
    },
  };
}
