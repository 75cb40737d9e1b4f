import { createHistogram } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { addFailed, type Counts, type Timings } from "./recorder.ts";
import type { WorkerReport, WorkerTask } from "./worker.ts";

/** The merged measurements of all workers. */
export interface Measured {
  readonly timings: Timings;
  readonly counts: Counts;
  /** Duration of the worker that measured longest. */
  measuredMs: number;
  /** Time until the last call ended, which is longer if the server could not keep up. */
  elapsedMs: number;
}

/**
 * Runs the workers and merges their measurements. They end early when the signal is aborted.
 *
 * @param onProgress called with the number of calls made so far
 */
export async function runWorkers(
  tasks: readonly WorkerTask[],
  signal: AbortSignal,
  onProgress: (made: number) => void,
): Promise<Measured> {
  const measured: Measured = {
    timings: { latency: createHistogram(), service: createHistogram(), lag: createHistogram() },
    counts: { sent: 0, succeeded: 0, errors: new Map() },
    measuredMs: 0,
    elapsedMs: 0,
  };
  const made = tasks.map(() => 0);
  await Promise.all(
    tasks.map((task, at) =>
      runWorker(task, signal, (report) => {
        if (report.kind === "result") return merge(measured, report);
        made[at] = report.made;
        onProgress(made.reduce((sum, one) => sum + one, 0));
      }),
    ),
  );
  return measured;
}

function runWorker(task: WorkerTask, signal: AbortSignal, onReport: (report: WorkerReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(programUrl(), { workerData: task });
    const stop = (): void => worker.postMessage("stop");
    signal.addEventListener("abort", stop, { once: true });
    worker.on("message", onReport);
    worker.once("error", reject);
    worker.once("exit", (code) => {
      signal.removeEventListener("abort", stop);
      if (code === 0) resolve();
      else reject(new Error(`benchmark worker exited with code ${code}`));
    });
    if (signal.aborted) stop();
  });
}

/** Returns the URL of the program that a worker runs: next to this file in the bundle, one folder up in the repository. */
function programUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "main.js", import.meta.url);
}

function merge(measured: Measured, report: Extract<WorkerReport, { kind: "result" }>): void {
  const { timings, counts } = measured;
  measured.measuredMs = Math.max(measured.measuredMs, report.measuredMs);
  measured.elapsedMs = Math.max(measured.elapsedMs, report.elapsedMs);
  for (const name of ["latency", "service", "lag"] as const) {
    timings[name].add(report.timings[name] as Timings["latency"]);
  }
  counts.sent += report.sent;
  counts.succeeded += report.succeeded;
  for (const [status, failed] of report.errors) addFailed(counts.errors, status, failed);
}
