import { createHistogram, type Histogram, type RecordableHistogram } from "node:perf_hooks";

/** Times in nanoseconds, with three digits. */
export interface Timings {
  /** From the time a call was due to its end; in a closed loop from its start. */
  readonly latency: RecordableHistogram;
  /** From the time it was sent to its end. */
  readonly service: RecordableHistogram;
  /** From the time it was due to the time it was sent: what the generator itself cost. */
  readonly lag: RecordableHistogram;
}

export interface Counts {
  sent: number;
  succeeded: number;
  /** By the name of the status. */
  readonly errors: Map<string, number>;
}

/** What one worker measures. Calls that are due in the warm-up are made and not recorded. */
export class Recorder {
  readonly timings: Timings = { latency: createHistogram(), service: createHistogram(), lag: createHistogram() };
  readonly counts: Counts = { sent: 0, succeeded: 0, errors: new Map() };
  /** All calls that were made, the unmeasured ones included: for a display of progress. */
  made = 0;
  /** When the last of the measured calls ended, from the start. */
  lastEndMs = 0;

  sent(dueMs: number, sentMs: number): void {
    this.counts.sent++;
    this.timings.lag.record(nanoseconds(sentMs - dueMs));
  }

  /** @param error the name of its status; undefined when it succeeded */
  ended(dueMs: number, sentMs: number, endMs: number, error: string | undefined): void {
    this.lastEndMs = endMs;
    if (error !== undefined) {
      this.failed(error);
      return;
    }
    this.counts.succeeded++;
    this.timings.latency.record(nanoseconds(endMs - dueMs));
    this.timings.service.record(nanoseconds(endMs - sentMs));
  }

  failed(error: string): void {
    this.counts.errors.set(error, (this.counts.errors.get(error) ?? 0) + 1);
  }
}

/** A histogram holds no zero. */
function nanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1e6));
}

export function milliseconds(histogram: Histogram, percentile: number): number {
  return histogram.count === 0 ? 0 : histogram.percentile(percentile) / 1e6;
}
