import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownText } from "@tercel/grpc/internal";
import type { Registry } from "@tercel/interceptors/metrics";
import type { Database, HeldLock } from "../../database/database.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { durably, type Failpoint, noFailpoint } from "../failpoint.ts";
import { purgeInbox } from "../inbox/once.ts";
import { outboxChannel } from "./insert-event.ts";
import { deleteSent, readBacklog, readBatch } from "./read-batch.ts";

export interface OutboxRelayOptions {
  readonly database: Database;
  readonly broker: Pick<EventBroker, "append" | "description">;
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
  /** Sends what was committed before, as far as the stream takes it, then stops and gives up the lock. */
  stop(): Promise<void>;
}

/** Without a notification, or as one of those that wait for the lock. */
const pollMs = 1000;
const purgeEveryMs = 60 * 60 * 1000;
const backlogEveryMs = 5000;
const lockName = "outbox-relay";

/**
 * Sends the outbox's rows to the stream, in order, and deletes those that the stream has. Of all processes that use the database one does so
 * at a time; when it ends, another takes over.
 */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const stopping = new AbortController();
  const relay = new Relay(options, stopping.signal);
  // Every failure is caught within; one that is not must not end the process.
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
  readonly #gauges:
    | { readonly pending: { set(n: number): void }; readonly oldest: { set(n: number): void } }
    | undefined;
  #failures = 0;
  #purgeAtMs = 0;
  #backlogAtMs = 0;
  /** Aborted by a notification or the stop, which end the pause between two looks. */
  #woken = new AbortController();

  constructor(options: OutboxRelayOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
    this.#failpoint = options.failpoint ?? noFailpoint;
    this.#wallClockMs = options.wallClockMs ?? Date.now;
    this.#gauges = createGauges(options);
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
        await lock.release();
      }
    }
  }

  #lock(): Promise<HeldLock | undefined> {
    const onNotify = (): void => this.#woken.abort();
    return this.#options.database.tryLock(lockName, { channel: outboxChannel, onNotify });
  }

  async #sendWhileHeld(lock: HeldLock): Promise<void> {
    // Once more after the stop, for what was committed before it.
    for (let isLast = false; !lock.lost.aborted; ) {
      isLast = this.#stopping.aborted;
      const hasMore = await this.#attempt("send", () => this.#sendBatch());
      if (hasMore === true) continue;
      if (isLast) return;
      await this.#attempt("maintain", () => this.#maintain());
      // After a failure nothing but time helps: each commit would otherwise knock at a stream that is away.
      if (hasMore === undefined) await pause(this.#options.clock, this.#backoff(this.#failures - 1), this.#stopping);
      else await this.#pauseUntilWoken();
    }
  }

  /** Whether there is more. */
  async #sendBatch(): Promise<boolean> {
    const { database, broker } = this.#options;
    const batch = await readBatch(database);
    if (batch.records.length === 0) return false;
    const sent = await durably(this.#failpoint, "append to the stream", () => broker.append(batch.records));
    await durably(this.#failpoint, "delete from the outbox", () => deleteSent(database, batch, sent));
    if (sent.size < batch.records.length) {
      throw new Error(`${broker.description} took ${sent.size} of ${batch.records.length} events`);
    }
    return batch.hasMore;
  }

  async #maintain(): Promise<void> {
    const { database, clock } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#purgeAtMs) {
      this.#purgeAtMs = nowMs + purgeEveryMs;
      await purgeInbox(database, this.#wallClockMs());
    }
    if (this.#gauges === undefined || nowMs < this.#backlogAtMs) return;
    this.#backlogAtMs = nowMs + backlogEveryMs;
    const { pending, oldestMs } = await readBacklog(database);
    this.#gauges.pending.set(pending);
    this.#gauges.oldest.set(oldestMs === undefined ? 0 : Math.max(0, this.#wallClockMs() - oldestMs) / 1000);
  }

  /** Undefined after a failure, which is logged: the first of a row, then with growing distance. */
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
        log.warn("the outbox relay failed", {
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
    // A notification that comes from here on belongs to the next pause.
    this.#woken = new AbortController();
    if (this.#stopping.aborted) this.#woken.abort();
  }
}

function createGauges({ metrics, name }: OutboxRelayOptions) {
  if (metrics === undefined) return undefined;
  const labels = ["database"];
  const pending = metrics.gauge("tercel_outbox_pending", {
    help: "Events that wait to be sent",
    labels,
    across: "max",
  });
  const oldest = metrics.gauge("tercel_outbox_oldest_seconds", {
    help: "Age of the event that has waited for longest to be sent",
    labels,
    across: "max",
  });
  return { pending: pending.with(name), oldest: oldest.with(name) };
}
