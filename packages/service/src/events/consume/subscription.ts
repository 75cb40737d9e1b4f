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

/** Metadata of a delivered event. */
export interface HandledEvent {
  /** ID of the event, the same in every attempt and every group. */
  readonly id: string;
  /** Key of the event; empty if published without one. */
  readonly key: string;
  readonly publishedAt: Date;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
}

/**
 * Handles one event. Writes through `tx` take effect exactly once, together with the record that the event was handled; without a database it may be
 * called again for a handled event. A rejected event is retried, up to six attempts in some twelve minutes.
 */
export type EventHandler<Desc extends DescMessage> = (
  message: MessageShape<Desc>,
  tx: Transaction,
  event: HandledEvent,
) => Promise<void> | void;

export interface SubscriptionParts {
  readonly broker: EventBroker;
  /** Undefined in a service without a database. */
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

/** Half of the time after which brokers consider a handler dead. */
const keepAliveMs = 5000;
const maxReasonLength = 1000;

/** This process's membership in one group. */
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

  /** Waits for running handlers; events that wait for the database are returned to the broker. */
  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#consumer?.pause();
    await Promise.all(this.#inFlight);
    await this.#consumer?.close();
  }

  /** Settles a delivery. Never rejects: an unsettled event is delivered again. */
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
      log.warn("cannot settle event; it will be delivered again", {
        broker: broker.description,
        ...this.#facts(delivery),
        error: thrownText(error),
      });
    } finally {
      keepAlive();
    }
  }

  /** Handles an event; while the database is unreachable, waits without counting an attempt. */
  async #handleWhenDatabaseIsThere(delivery: Delivery): Promise<undefined | "ended" | { readonly error: unknown }> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#handle(delivery);
        return undefined;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) return { error };
        if (failures === 0)
          this.#parts.log.warn("event is waiting for the database", { error: error.message, ...this.#facts(delivery) });
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
      log.error("event moved to the dead letters", {
        ...this.#facts(delivery),
        deadTopic: `dead.${this.#target.group}`,
        error: reason,
      });
      return;
    }
    await durably(failpoint, "acknowledge", () => delivery.retry(delayMs));
    this.#count("retried");
    log.warn("event failed and will be retried", { ...this.#facts(delivery), delayMs, error: reason });
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
