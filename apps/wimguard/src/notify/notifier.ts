import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { LiveRun } from "../runs/run-registry.ts";
import type { StoredRun } from "../runs/run-store.ts";
import { deliver, type NotifyTargets } from "./deliver.ts";
import type { NotifyTarget, OutboxStore } from "./outbox-store.ts";

/** What is worth a notification. */
export type NotifyEvent = "failed" | "warned" | "overdue" | "damage" | "drill_failed" | "low_space";

export interface NotifierParts {
  readonly outbox: OutboxStore;
  readonly targets: NotifyTargets;
  readonly log: Log;
  nowMs(): number;
}

const firstRetryMs = 30_000;
const maxRetryMs = 6 * 3_600_000;
/** By then somebody has noticed, or does not want to. */
const givenUpAfterMs = 3 * 86_400_000;
const deliveriesAtOnce = 50;

/** Reports what goes wrong, through an outbox: what cannot be delivered is tried again. */
export class Notifier {
  readonly #parts: NotifierParts;
  #delivering: Promise<void> | undefined;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Notifies of a run that has ended, if there is something to say, and pings after a good backup. */
  runEnded(run: StoredRun | LiveRun): void {
    const event = eventOf(run);
    if (event !== undefined) {
      const { uuid, kind, state, scheduleUuid, subjectUuid, failure, message } = run;
      this.notify(event, { uuid, kind, state, scheduleUuid, subjectUuid, message: failure?.message ?? message });
    }
    const isGood = run.kind === "backup" && (run.state === "completed" || run.state === "warned");
    if (isGood && this.#parts.targets.ping !== undefined) this.#insert("ping", "");
  }

  notify(event: NotifyEvent, details: object): void {
    const { targets, nowMs } = this.#parts;
    const body = JSON.stringify({ event, time: new Date(nowMs()).toISOString(), ...details });
    if (targets.webhook !== undefined) this.#insert("webhook", body);
    if (targets.command !== undefined) this.#insert("command", body);
  }

  /** Tries what is due; one that does not arrive is tried later, less and less often. */
  deliver(): Promise<void> {
    this.#delivering ??= this.#deliverDue().finally(() => {
      this.#delivering = undefined;
    });
    return this.#delivering;
  }

  #insert(target: NotifyTarget, body: string): void {
    const { outbox, nowMs, log } = this.#parts;
    try {
      outbox.insert(target, body, nowMs());
    } catch (error) {
      // A full disk must not keep a run from being ended.
      log.error("a notification could not be stored", { target, body, error: thrownText(error) });
    }
  }

  async #deliverDue(): Promise<void> {
    const { outbox, targets, log, nowMs } = this.#parts;
    for (const { seq, target, body, attempts, createdAtMs } of outbox.due(nowMs(), deliveriesAtOnce)) {
      try {
        await deliver(targets, target, body);
        outbox.remove(seq);
      } catch (error) {
        const isGivenUp = nowMs() - createdAtMs > givenUpAfterMs;
        const level = isGivenUp ? "error" : "warn";
        log[level]("a notification did not arrive", { target, attempts: attempts + 1, error: thrownText(error) });
        if (isGivenUp) outbox.remove(seq);
        else outbox.postpone(seq, attempts + 1, nowMs() + Math.min(firstRetryMs * 2 ** attempts, maxRetryMs));
      }
    }
  }
}

function eventOf({ kind, state, failure }: Pick<StoredRun, "kind" | "state" | "failure">): NotifyEvent | undefined {
  if (state === "warned") return "warned";
  if (state !== "failed") return undefined;
  if (failure?.reason === "ARCHIVE_DAMAGED") return "damage";
  return kind === "drill" ? "drill_failed" : "failed";
}
