import { Code } from "@connectrpc/connect";
import type { Subchannel } from "../subchannel/index.ts";
import { composeTrackers } from "./compose-trackers.ts";
import type { EjectionRecord } from "./ejection.ts";
import type { CallOutcome, CallTracker, Picker, PickInfo, PickResult } from "./index.ts";

/** What the trackers of all subchannels of a policy have in common. */
export interface OutcomeCounts {
  /** Calls that any server has answered, with whatever status. */
  answered: number;
  /** A call has ended at its deadline without a word of the server. */
  onUnanswered(record: EjectionRecord): void;
}

/** Counts the calls of one subchannel for the endpoint that its address belongs to at the time. */
export class OutcomeTracker implements CallTracker {
  readonly #counts: OutcomeCounts;
  readonly #record: () => EjectionRecord | undefined;

  constructor(counts: OutcomeCounts, record: () => EjectionRecord | undefined) {
    this.#counts = counts;
    this.#record = record;
  }

  onStart(): void {}

  onEnd(outcome: CallOutcome): void {
    const record = this.#record();
    if (record === undefined) return;
    if (outcome.code === undefined) record.succeeded += 1;
    else record.failed += 1;
    if (outcome.wasAnswered !== false) {
      this.#counts.answered += 1;
      record.deadlinesInRow = 0;
    } else if (outcome.code === Code.DeadlineExceeded) {
      if (record.deadlinesInRow === 0) record.answeredBefore = this.#counts.answered;
      record.deadlinesInRow += 1;
      this.#counts.onUnanswered(record);
    }
  }
}

export class CountingPicker implements Picker {
  readonly #picker: Picker;
  readonly #trackers: WeakMap<Subchannel, OutcomeTracker>;
  /** Made once for each result of the child, which gives the same ones again and again. */
  readonly #counted = new WeakMap<PickResult, PickResult>();

  constructor(picker: Picker, trackers: WeakMap<Subchannel, OutcomeTracker>) {
    this.#picker = picker;
    this.#trackers = trackers;
  }

  get dependsOnCall(): boolean {
    return this.#picker.dependsOnCall;
  }

  pick(info: PickInfo | undefined): PickResult {
    const result = this.#picker.pick(info);
    if (result.kind !== "complete") return result;
    const known = this.#counted.get(result);
    if (known !== undefined) return known;
    const tracker = composeTrackers(result.tracker, this.#trackers.get(result.subchannel));
    const counted: PickResult =
      tracker === undefined ? result : { kind: "complete", subchannel: result.subchannel, tracker };
    this.#counted.set(result, counted);
    return counted;
  }

  describe(): string {
    return this.#picker.describe();
  }
}
