import { createPeriodKeys } from "../retention/period-keys.ts";
import type { StoredRun } from "../runs/run-store.ts";

/** What runs come to. */
export interface RunCounts {
  runs: number;
  completed: number;
  warned: number;
  failed: number;
  /** Of backups. */
  sourceBytes: number;
  storedBytes: number;
  /** Snapshots that backups have made. */
  snapshots: number;
  seconds: number;
  /** What checks and drills have read. */
  verifiedBytes: number;
  drills: number;
  drillsFailed: number;
}

function noCounts(): RunCounts {
  return {
    runs: 0,
    completed: 0,
    warned: 0,
    failed: 0,
    sourceBytes: 0,
    storedBytes: 0,
    snapshots: 0,
    seconds: 0,
    verifiedBytes: 0,
    drills: 0,
    drillsFailed: 0,
  };
}

/** Counts runs that have ended. A run that was skipped or cancelled is counted, and is neither good nor bad. */
export function countRuns(runs: Iterable<StoredRun>): RunCounts {
  const counts = noCounts();
  for (const run of runs) addRun(counts, run);
  return counts;
}

function addRun(
  counts: RunCounts,
  { kind, state, bytes, storedBytes, createdAtMs, startedAtMs, endedAtMs }: StoredRun,
): void {
  if (endedAtMs === undefined) return;
  counts.runs++;
  counts.seconds += (endedAtMs - (startedAtMs ?? createdAtMs)) / 1000;
  const isGood = state === "completed" || state === "warned";
  if (state === "completed") counts.completed++;
  if (state === "warned") counts.warned++;
  if (state === "failed") counts.failed++;
  if (kind === "backup" && isGood) {
    counts.snapshots++;
    counts.sourceBytes += bytes;
    counts.storedBytes += storedBytes;
  }
  if ((kind === "verify" || kind === "drill") && isGood) counts.verifiedBytes += bytes;
  if (kind === "drill") counts.drills++;
  if (kind === "drill" && state === "failed") counts.drillsFailed++;
}

/** One day of a zone. */
export interface DayCounts {
  /** As 2026-12-01. */
  readonly date: string;
  readonly counts: RunCounts;
}

/** Counts runs day by day, newest first. A day without runs is left out. */
export function countDays(runs: Iterable<StoredRun>, timeZone: string): DayCounts[] {
  const keysOf = createPeriodKeys(timeZone);
  const days = new Map<string, RunCounts>();
  for (const run of runs) {
    const { daily } = keysOf(run.createdAtMs);
    const counts = days.get(daily) ?? noCounts();
    days.set(daily, counts);
    addRun(counts, run);
  }
  return [...days].map(([date, counts]) => ({ date, counts })).sort((a, b) => (a.date < b.date ? 1 : -1));
}
