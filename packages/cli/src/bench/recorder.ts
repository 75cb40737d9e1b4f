import { createHistogram, type Histogram, type RecordableHistogram } from "node:perf_hooks";
import type { CallFailure } from "./make-call.ts";

/** Histograms in nanoseconds, with three significant digits. */
export interface Timings {
  /** From the time a call was due to its end; in a closed loop from its start. */
  readonly latency: RecordableHistogram;
  /** From the time a call was sent to its end. */
  readonly service: RecordableHistogram;
  /** From the time a call was due to the time it was sent: the delay of the generator itself. */
  readonly lag: RecordableHistogram;
}

export interface Counts {
  sent: number;
  succeeded: number;
  /** By status name. */
  readonly errors: Map<string, FailedCalls>;
}

/** The calls that ended with one status. */
export interface FailedCalls {
  readonly count: number;
  /** The message of the first of them. */
  readonly firstMessage: string;
}

/** Adds calls to those that ended with the same status. */
export function addFailed(
  errors: Map<string, FailedCalls>,
  status: string,
  { count, firstMessage }: FailedCalls,
): void {
  const known = errors.get(status);
  errors.set(status, { count: (known?.count ?? 0) + count, firstMessage: known?.firstMessage ?? firstMessage });
}

/** Records the calls of one worker. Calls that are due in the warm-up are not recorded. */
export class Recorder {
  readonly timings: Timings = { latency: createHistogram(), service: createHistogram(), lag: createHistogram() };
  readonly counts: Counts = { sent: 0, succeeded: 0, errors: new Map() };
  /** All calls made so far, including those of the warm-up; for the progress display. */
  made = 0;
  /** Time from the start to the end of the last measured call. */
  lastEndMs = 0;

  sent(dueMs: number, sentMs: number): void {
    this.counts.sent++;
    this.timings.lag.record(nanoseconds(sentMs - dueMs));
  }

  /** Records a call that has ended. @param error undefined when it succeeded */
  ended(dueMs: number, sentMs: number, endMs: number, error: CallFailure | undefined): void {
    this.lastEndMs = endMs;
    if (error !== undefined) {
      this.failed(error);
      return;
    }
    this.counts.succeeded++;
    this.timings.latency.record(nanoseconds(endMs - dueMs));
    this.timings.service.record(nanoseconds(endMs - sentMs));
  }

  failed({ status, message }: CallFailure): void {
    addFailed(this.counts.errors, status, { count: 1, firstMessage: message });
  }
}

/** Converts to whole nanoseconds, at least 1: a histogram cannot record 0. */
function nanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1e6));
}

export function milliseconds(histogram: Histogram, percentile: number): number {
  return histogram.count === 0 ? 0 : histogram.percentile(percentile) / 1e6;
}
