import type { LiveRun, RunRegistry } from "./run-registry.ts";

/** What a watcher gets. */
export type RunChange = { readonly kind: "run"; readonly run: LiveRun } | { readonly kind: "heartbeat" };

/** At most so often: a watcher that is slow gets the latest state of each run, and misses those between. */
const minIntervalMs = 100;
const heartbeatMs = 15_000;

/** Sends runs that have changed after a revision, then each change, and a heartbeat when there is none, until the signal aborts. */
export async function* watchRuns(
  runs: RunRegistry,
  afterRevision: number,
  matches: (run: LiveRun) => boolean,
  signal: AbortSignal,
): AsyncGenerator<RunChange> {
  let revision = afterRevision;
  for await (const kind of runs.changes(minIntervalMs, signal, heartbeatMs)) {
    if (kind === "silence") yield { kind: "heartbeat" };
    for (const run of runs.changedAfter(revision)) {
      revision = Math.max(revision, run.revision);
      if (matches(run)) yield { kind: "run", run };
    }
  }
}
