import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownText } from "@tercel/grpc/internal";
import type { Registry } from "@tercel/interceptors/metrics";
import { traceWork } from "@tercel/interceptors/tracing";
import type { Database, Transaction } from "../../database/database.ts";
import { DatabaseUnavailable } from "../../database/database-errors.ts";
import type { Consumer, Delivery, EventBroker } from "../broker/event-broker.ts";
import { durably, type Failpoint } from "../failpoint.ts";
import { handleOnce } from "../inbox/once.ts";
import { noDatabase } from "./no-database.ts";
import { retryDelayMs } from "./retry-schedule.ts";

/** What is known of an event next to its message. */
export interface HandledEvent {
  /** The same in every attempt and every group. */
  readonly id: string;
  /** Empty where it was published without one. */
  readonly key: string;
  readonly publishedAt: Date;
  /** 1 for the first. */
  readonly attempt: number;
}

/**
 * Handles one event. What it writes through `tx` takes effect once, together with the note that the event was handled; without a database it
 * may be called again for an event that it has handled. An event it rejects is tried again, up to six times in some twelve minutes.
 */
export type EventHandler<Desc extends DescMessage> = (
  message: MessageShape<Desc>,
  tx: Transaction,
  event: HandledEvent,
) => Promise<void> | void;

export interface SubscriptionParts {
  readonly broker: EventBroker;
  /** Undefined in a service without one. */
  readonly database: Database | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Registry | undefined;
  readonly failpoint: Failpoint;
  readonly wallClockMs: () => number;
}

export interface SubscriptionTarget {
  readonly schema: DescMessage;
  readonly group: string;
  readonly maxInFlight: number;
  readonly handler: EventHandler<DescMessage>;
}

/** Half of what brokers wait before they take a handler for dead. */
const keepAliveMs = 5000;
const maxReasonLength = 1000;

/** The member of one group that this process is. */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #target: SubscriptionTarget;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #databaseBackoff = createBackoff({ initialDelayMs: 1000, maxDelayMs: 30_000 });
  readonly #count: (outcome: "ok" | "retried" | "dead") => void;
  #consumer: Consumer | undefined;

  constructor(parts: SubscriptionParts, target: SubscriptionTarget) {
    this.#parts = parts;
    this.#target = target;
    const handled = parts.metrics?.counter("tercel_events_handled_total", {
      help: "Attempts to handle an event, by how they ended",
      labels: ["topic", "group", "outcome"],
    });
    this.#count = (outcome) => handled?.with(target.schema.typeName, target.group, outcome).add();
  }

  start(): void {
    const { schema, group, maxInFlight } = this.#target;
    this.#consumer = this.#parts.broker.consume({ topic: schema.typeName, group, maxInFlight }, (delivery) => {
      const handling = this.#settle(delivery).finally(() => this.#inFlight.delete(handling));
      this.#inFlight.add(handling);
    });
  }

  async pause(): Promise<void> {
    await this.#consumer?.pause();
  }

  /** Waits for what is being handled; what waits for the database is handed back. */
  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#consumer?.pause();
    await Promise.all(this.#inFlight);
    await this.#consumer?.close();
  }

  /** Never rejects: what cannot be settled now comes again. */
  async #settle(delivery: Delivery): Promise<void> {
    const { broker, log, failpoint } = this.#parts;
    const keepAlive = this.#keepAlive(delivery);
    try {
      const failure = await this.#handleWhenDatabaseIsThere(delivery);
      if (failure === "ended") return;
      if (failure === undefined) {
        await durably(failpoint, "acknowledge", () => delivery.acknowledge());
        this.#count("ok");
      } else {
        await this.#giveBack(delivery, failure.error);
      }
    } catch (error) {
      log.warn("an event could not be settled and will come again", {
        broker: broker.description,
        ...this.#facts(delivery),
        error: thrownText(error),
      });
    } finally {
      keepAlive();
    }
  }

  /** An unreachable database is not the event's fault, so it costs no attempt. */
  async #handleWhenDatabaseIsThere(delivery: Delivery): Promise<undefined | "ended" | { readonly error: unknown }> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#handle(delivery);
        return undefined;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) return { error };
        if (failures === 0)
          this.#parts.log.warn("an event waits for the database", { error: error.message, ...this.#facts(delivery) });
        await pause(this.#parts.clock, this.#databaseBackoff(failures), this.#stopping.signal);
        if (this.#stopping.signal.aborted) return "ended";
      }
    }
  }

  async #handle({ record, attempt }: Delivery): Promise<void> {
    const { database, failpoint, wallClockMs } = this.#parts;
    const { schema, group, handler } = this.#target;
    const { id, key, topic } = record;
    const message = fromBinary(schema, record.payload);
    const event: HandledEvent = { id, key, attempt, publishedAt: new Date(record.publishedMs) };
    await traceWork(`process ${topic}`, record.traceParent, async () => {
      if (database === undefined) {
        await handler(message, noDatabase, event);
        return;
      }
      const handled = { group, id, nowMs: wallClockMs() };
      await handleOnce(database, handled, async (tx) => handler(message, tx, event), failpoint);
    });
  }

  async #giveBack(delivery: Delivery, error: unknown): Promise<void> {
    const { log, failpoint } = this.#parts;
    const delayMs = retryDelayMs(delivery.attempt);
    const reason = thrownText(error);
    if (delayMs === undefined) {
      await durably(failpoint, "acknowledge", () => delivery.bury(reason.slice(0, maxReasonLength)));
      this.#count("dead");
      log.error("an event was given up", {
        ...this.#facts(delivery),
        deadTopic: `dead.${this.#target.group}`,
        error: reason,
      });
      return;
    }
    await durably(failpoint, "acknowledge", () => delivery.retry(delayMs));
    this.#count("retried");
    log.warn("an event will be tried again", { ...this.#facts(delivery), delayMs, error: reason });
  }

  #facts({ record, attempt }: Delivery) {
    return { topic: record.topic, group: this.#target.group, event: record.id, attempt };
  }

  #keepAlive(delivery: Delivery): () => void {
    const { clock } = this.#parts;
    const tick = (): void => {
      delivery.keepAlive();
      cancel = clock.after(keepAliveMs, tick);
    };
    let cancel = clock.after(keepAliveMs, tick);
    return () => cancel();
  }
}
