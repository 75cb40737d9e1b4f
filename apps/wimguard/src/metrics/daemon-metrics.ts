import { observeProcess, type Registry } from "@tercel/interceptors/metrics";
import type { BackupStore } from "../catalog/backup-store.ts";
import type { RegisteredDestination } from "../catalog/registered-items.ts";
import { freeSpaceOf } from "../files/free-space.ts";
import type { JobEnd } from "../jobs/job-end.ts";
import type { JobQueue } from "../jobs/job-queue.ts";

export interface DaemonMetrics {
  countEnd(end: JobEnd): void;
  /** Shows the room that registered destinations have. */
  watchSpace(all: () => readonly RegisteredDestination[]): void;
  /** Shows how many schedules are overdue. */
  watchOverdue(count: () => number): void;
  /** Ends what looks at the process from time to time. */
  close(): void;
}

/** From a backup of a few files to one that takes all day. */
const durationBounds = [0.1, 1, 10, 60, 600, 3_600, 6 * 3_600, 24 * 3_600];

export interface DaemonMetricsOptions {
  readonly queue: JobQueue;
  readonly backups: BackupStore;
  /** Whether anyone can read them: looking at the process wakes it a hundred times a second. */
  readonly isScraped: boolean;
}

/** Registers what a scraper learns of the daemon: its jobs, its archives, its process. */
export function createDaemonMetrics(
  registry: Registry,
  { queue, backups, isScraped }: DaemonMetricsOptions,
): DaemonMetrics {
  const runs = registry.counter("wimguard_runs_total", {
    help: "Runs that have ended since the daemon started.",
    labels: ["kind", "state"],
  });
  const durations = registry.histogram("wimguard_run_duration_seconds", {
    help: "Time from the request to the end, waiting included.",
    labels: ["kind"],
    bounds: durationBounds,
  });
  const queued = registry.gauge("wimguard_queue", { help: "Jobs that run or wait." });
  const stored = registry.gauge("wimguard_stored_bytes", { help: "Bytes of the archives of completed backups." });
  const lastGood = registry.gauge("wimguard_last_good_timestamp", {
    help: "When the newest completed backup ended, in seconds since 1970; 0 without one.",
    across: "max",
  });
  const free = registry.gauge("wimguard_free_bytes", {
    help: "Free bytes where a registered destination is; NaN for one that is missing, and for another machine.",
    labels: ["destination"],
  });
  let allDestinations = (): readonly RegisteredDestination[] => [];
  let countOverdue = (): number => 0;
  const overdue = registry.gauge("wimguard_overdue", { help: "Schedules that are overdue." });
  const stopCollecting = registry.beforeCollect(() => {
    const { storedBytes, lastEndMs } = backups.summary();
    queued.with().set(queue.size);
    stored.with().set(storedBytes);
    lastGood.with().set(lastEndMs / 1000);
    overdue.with().set(countOverdue());
    // One that was removed keeps its series until the daemon ends.
    for (const { series } of free.series.values()) series.set(Number.NaN);
    for (const one of allDestinations()) free.with(one.name).set(freeSpaceOf(one)?.freeBytes ?? Number.NaN);
  });
  const stopObserving = isScraped ? observeProcess(registry) : () => {};
  return {
    watchSpace(all) {
      allDestinations = all;
    },
    watchOverdue(count) {
      countOverdue = count;
    },
    countEnd({ kind, state, durationMs }) {
      runs.with(kind, state).add();
      durations.with(kind).observe(durationMs / 1000);
    },
    close() {
      stopCollecting();
      stopObserving();
    },
  };
}
