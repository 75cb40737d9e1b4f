import { Code } from "@connectrpc/connect";
import type { EjectionRecord } from "./ejection.ts";
import type { CallOutcome } from "./index.ts";

/** What the endpoints of a policy have in common. */
export interface OutcomeCounts {
  /** Calls that any server has answered, with whatever status. */
  answered: number;
  /** A call has ended at its deadline without a word of the server. */
  onUnanswered(record: EjectionRecord): void;
}

/** Counts the outcome of a call for the endpoint that it went to. */
export function countOutcome(counts: OutcomeCounts, record: EjectionRecord, outcome: CallOutcome): void {
  if (outcome.code === undefined) {
    record.succeeded += 1;
    record.deadlinesInRow = 0;
    counts.answered += 1;
    return;
  }
  record.failed += 1;
  if (outcome.wasAnswered !== false) {
    counts.answered += 1;
    record.deadlinesInRow = 0;
  } else if (outcome.code === Code.DeadlineExceeded) {
    if (record.deadlinesInRow === 0) record.answeredBefore = counts.answered;
    record.deadlinesInRow += 1;
    counts.onUnanswered(record);
  }
}
