import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownMessage, thrownText } from "@tercel/grpc/internal";
import type { Registry } from "@tercel/interceptors/metrics";
import type { Database, HeldLock } from "../../database/database.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { durably, type Failpoint, noFailpoint } from "../failpoint.ts";
import { purgeInbox } from "../inbox/once.ts";
import { outboxChannel } from "./insert-event.ts";
import { parkEvent } from "./parked-events.ts";
import { deleteRows, type OutboxBatch, readAhead, readBacklog, readBatch, rowsOf } from "./read-batch.ts";
import { createRelayMetrics } from "./relay-metrics.ts";
import { type FailedSend, sendSingly } from "./send-singly.ts";

export interface OutboxRelayOptions {
  readonly database: Database;
  readonly broker: Pick<EventBroker, "append" | "check" | "description">;
  /** The database's name, for metrics. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Registry;
  readonly failpoint?: Failpoint;
  /** Wall-clock time. Default `Date.now`. */
  readonly wallClockMs?: () => number;
}

export interface OutboxRelay {
  /** Sends what was committed before, as far as the broker accepts it, then stops and releases the lock. */
  stop(): Promise<void>;
}

/** Polling interval without notifications, and while waiting for the lock. */
const pollMs = 1000;
const purgeEveryMs = 60 * 60 * 1000;
const backlogEveryMs = 5000;
const lockName = "outbox-relay";
/** Number of consecutive failures after which the events of a batch are sent one by one. */
const failuresBeforeSingly = 3;
/** Number of rejections, counted at most once a second, after which an event is parked while the broker accepts others. */
const maxRefusals = 10;
const maxReasonLength = 1000;

/**
 * Sends the outbox's rows to the broker in order, and deletes stored ones. An event that the broker rejects while it accepts others is parked, so that it
 * neither blocks the rest nor is retried forever. One process per database does so at a time; when it ends, another takes over.
 */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const stopping = new AbortController();
  const relay = new Relay(options, stopping.signal);
  // Failures are handled inside; an unexpected one must not end the process.
  const running = relay.run().catch((error) => options.log.error("the outbox relay ended", { error }));
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

class Relay {
  readonly #options: OutboxRelayOptions;
  readonly #stopping: AbortSignal;
  readonly #failpoint: Failpoint;
  readonly #wallClockMs: () => number;
  readonly #backoff = createBackoff({ initialDelayMs: 100, maxDelayMs: 30_000 });
  readonly #metrics: ReturnType<typeof createRelayMetrics>;
  #failures = 0;
  /** The next batch, read while the one before it was sent. */
  #ahead: OutboxBatch | undefined;
  /** Rows of stored events, which are deleted while the next batch is sent. */
  #stored: readonly number[] = [];
  /** Set after repeated failures of a batch: its events are sent one by one. */
  #isDoubtful = false;
  /** Number of rejections of each event while the broker accepted others, by ID. */
  readonly #refusals = new Map<string, { readonly count: number; readonly countedAtMs: number }>();
  #purgeAtMs = 0;
  #backlogAtMs = 0;
  /** Aborted by a notification or a stop, which end the pause between polls. */
  #woken = new AbortController();

  constructor(options: OutboxRelayOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
    this.#failpoint = options.failpoint ?? noFailpoint;
    this.#wallClockMs = options.wallClockMs ?? Date.now;
    this.#metrics = createRelayMetrics(options.metrics, options.name);
    stopping.addEventListener("abort", () => this.#woken.abort());
  }

  async run(): Promise<void> {
    while (!this.#stopping.aborted) {
      const lock = await this.#attempt("lock", () => this.#lock());
      if (lock === undefined) {
        await pause(this.#options.clock, pollMs, this.#stopping);
        continue;
      }
      try {
        await this.#sendWhileHeld(lock);
      } finally {
        // Another process may send it once it has the lock.
        this.#ahead = undefined;
        await this.#attempt("delete", () => this.#deleteStored());
        await lock.release();
      }
    }
  }

  #lock(): Promise<HeldLock | undefined> {
    const onNotify = (): void => this.#woken.abort();
    return this.#options.database.tryLock(lockName, { channel: outboxChannel, onNotify });
  }

  async #sendWhileHeld(lock: HeldLock): Promise<void> {
    // Runs once more after the stop, for what was committed before it.
    for (let isLast = false; !lock.lost.aborted; ) {
      isLast = this.#stopping.aborted;
      const hasMore = await this.#attempt("send", () => this.#sendBatch());
      if (hasMore === true) continue;
      if (isLast) return;
      await this.#attempt("maintain", () => this.#maintain());
      // After a failure only time helps; otherwise each commit would retry an unavailable broker.
      if (hasMore === undefined) await pause(this.#options.clock, this.#backoff(this.#failures - 1), this.#stopping);
      else await this.#pauseUntilWoken();
    }
  }

  /** Sends a batch. Resolves to whether there is more. */
  async #sendBatch(): Promise<boolean> {
    const { broker } = this.#options;
    const batch = this.#ahead ?? (await this.#readBatch());
    this.#ahead = undefined;
    this.#isDoubtful ||= this.#failures >= failuresBeforeSingly;
    if (batch.records.length === 0 || this.#isDoubtful) {
      await this.#deleteStored();
      return batch.records.length > 0 && this.#sendSingly(batch);
    }
    // The database deletes and reads while the broker stores. The next batch is sent when this one is stored, so that nothing overtakes what failed.
    const [sending, reading] = await Promise.allSettled([
      durably(this.#failpoint, "append to the stream", () => broker.append(batch.records)),
      this.#readAhead(batch),
    ]);
    if (sending.status === "fulfilled") this.#stored = [...this.#stored, ...rowsOf(batch, sending.value)];
    if (reading.status === "rejected") throw reading.reason;
    if (sending.status === "rejected") throw sending.reason;
    const isComplete = sending.value.size === batch.records.length;
    if (isComplete && batch.hasMore) {
      this.#ahead = reading.value;
      return true;
    }
    await this.#deleteStored();
    if (isComplete) return false;
    throw new Error(`${broker.description} took ${sending.value.size} of ${batch.records.length} events`);
  }

  async #readBatch(): Promise<OutboxBatch> {
    await this.#deleteStored();
    return readBatch(this.#options.database);
  }

  /** Reads what follows a batch that is being sent. Resolves to undefined if there is nothing, or it must be read in order. */
  async #readAhead(batch: OutboxBatch): Promise<OutboxBatch | undefined> {
    await this.#deleteStored();
    return batch.hasMore ? readAhead(this.#options.database, batch) : undefined;
  }

  async #deleteStored(): Promise<void> {
    const rows = this.#stored;
    if (rows.length === 0) return;
    await durably(this.#failpoint, "delete from the outbox", () => deleteRows(this.#options.database, rows));
    this.#stored = [];
  }

  /** Sends a batch one by one. Resolves to whether there is more to do at once. */
  async #sendSingly(batch: OutboxBatch): Promise<boolean> {
    const { database, broker } = this.#options;
    // An unavailable broker is not the fault of an event.
    await broker.check(this.#stopping);
    const { stored, failed } = await sendSingly(broker, batch.records);
    await deleteRows(database, rowsOf(batch, stored));
    let parked = 0;
    for (const failure of failed) {
      if (!this.#isToPark(failure, stored.size > 0)) continue;
      await this.#park(batch, failure);
      parked++;
    }
    const [first] = failed;
    if (first === undefined || parked === failed.length) {
      this.#isDoubtful = false;
      this.#refusals.clear();
      return batch.hasMore;
    }
    if (stored.size + parked === 0) throw first.error;
    return false;
  }

  #isToPark({ record, isRefused }: FailedSend, tookOthers: boolean): boolean {
    if (isRefused) return true;
    if (!tookOthers) return false;
    const nowMs = this.#options.clock.nowMs();
    const { count, countedAtMs } = this.#refusals.get(record.id) ?? { count: 0, countedAtMs: Number.NEGATIVE_INFINITY };
    // Commits wake the relay often, so rejections are counted at most once a second.
    if (nowMs - countedAtMs < pollMs) return false;
    this.#refusals.set(record.id, { count: count + 1, countedAtMs: nowMs });
    return count + 1 >= maxRefusals;
  }

  async #park({ rowIds }: OutboxBatch, { record, error }: FailedSend): Promise<void> {
    const rowId = rowIds.get(record.id);
    if (rowId === undefined) return;
    const { database, log, name } = this.#options;
    const reason = thrownMessage(error).slice(0, maxReasonLength);
    await parkEvent(database, rowId, this.#wallClockMs(), reason);
    this.#refusals.delete(record.id);
    this.#metrics?.parkedTotal.add();
    this.#backlogAtMs = 0;
    log.error("event parked because the broker rejects it; see tercel_outbox_parked", {
      database: name,
      event: record.id,
      topic: record.topic,
      row: rowId,
      reason,
    });
  }

  async #maintain(): Promise<void> {
    const { database, clock } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#purgeAtMs) {
      this.#purgeAtMs = nowMs + purgeEveryMs;
      await purgeInbox(database, this.#wallClockMs());
    }
    if (this.#metrics === undefined || nowMs < this.#backlogAtMs) return;
    this.#backlogAtMs = nowMs + backlogEveryMs;
    const { pending, oldestMs, parked } = await readBacklog(database);
    this.#metrics.pending.set(pending);
    this.#metrics.parked.set(parked);
    this.#metrics.oldest.set(oldestMs === undefined ? 0 : Math.max(0, this.#wallClockMs() - oldestMs) / 1000);
  }

  /** Runs a step; resolves to undefined after a failure, which is logged with increasing intervals. */
  async #attempt<T>(step: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await act();
      if (step === "send") this.#failures = 0;
      return result;
    } catch (error) {
      this.#failures += 1;
      const isWorthALine = (this.#failures & (this.#failures - 1)) === 0;
      const { log, name } = this.#options;
      if (isWorthALine) {
        log.warn("outbox relay failed", {
          database: name,
          step,
          failures: this.#failures,
          error: thrownText(error),
        });
      }
      return undefined;
    }
  }

  async #pauseUntilWoken(): Promise<void> {
    await pause(this.#options.clock, pollMs, this.#woken.signal);
    // Later notifications apply to the next pause.
    this.#woken = new AbortController();
    if (this.#stopping.aborted) this.#woken.abort();
  }
}
