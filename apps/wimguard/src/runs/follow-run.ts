import type { LiveRun, RunRegistry } from "./run-registry.ts";

const minIntervalMs = 100;
const finalStates: readonly string[] = ["completed", "warned", "failed", "cancelled", "skipped"];

/** Yields the states of one run until it has ended, its end included, or until the signal aborts. A slow reader gets the latest state. */
export async function* followRun(runs: RunRegistry, uuid: string, signal: AbortSignal): AsyncGenerator<LiveRun> {
  let revision = -1;
  for await (const _ of runs.changes(minIntervalMs, signal)) {
    const run = runs.get(uuid);
    if (run.revision === revision) continue;
    ({ revision } = run);
    yield run;
    if (finalStates.includes(run.state)) return;
  }
}
