import { FailureError } from "../failure/failure.ts";
import type { QueuedJob } from "./job-queue.ts";

export type JobKind = "backup" | "restore" | "verify" | "drill" | "import";

/** How a job ended, for the log and the metrics. */
export interface JobEnd {
  readonly kind: JobKind;
  readonly uuid: string;
  readonly state: "completed" | "warned" | "failed" | "cancelled";
  readonly durationMs: number;
  /** Why it failed. */
  readonly problem?: string;
}

/** Calls back once when a job has ended and its record says how. The time that it has waited counts. */
export function observeJobEnd(
  kind: JobKind,
  { uuid, done }: QueuedJob<{ readonly warnings: { readonly count: number } }>,
  onEnd: (end: JobEnd) => void,
): void {
  const startedMs = performance.now();
  const report = (end: Pick<JobEnd, "state" | "problem">): void =>
    onEnd({ kind, uuid, durationMs: Math.round(performance.now() - startedMs), ...end });
  done.then(
    ({ warnings }) => report({ state: warnings.count > 0 ? "warned" : "completed" }),
    (error: Error) => {
      const isCancelled = error instanceof FailureError && error.failure.reason === "CANCELLED";
      report(isCancelled ? { state: "cancelled" } : { state: "failed", problem: error.message });
    },
  );
}
