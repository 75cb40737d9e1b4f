import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Clock, Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Registry } from "@tercel/interceptors/metrics";
import type { Database } from "../database/database.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import { type EventHandler, Subscription, type SubscriptionParts } from "./consume/subscription.ts";
import { createEventRecord, type PublishOptions } from "./event-record.ts";
import { type Failpoint, noFailpoint } from "./failpoint.ts";
import { createEventTables } from "./outbox/event-tables.ts";
import { type OutboxRelay, startOutboxRelay } from "./outbox/outbox-relay.ts";

export interface SubscribeOptions {
  /** Group, usually the name of the service: one process of each group handles each event. Lower-case letters, digits and dashes. */
  readonly group: string;
  /** Maximum number of events that this process handles concurrently; those with the same key run one after another. Default 16. */
  readonly maxInFlight?: number;
}

/** Publishes and subscribes to events. Every event is a protobuf message; its type's full name is the topic. */
export interface Events {
  /**
   * Publishes an event. With a database it goes through the outbox: this resolves when the event is stored there, and the event is sent even if the
   * broker is unavailable. Within a transaction call `tx.publish` instead, so that the event is sent if and only if the transaction commits.
   */
  publish<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
    options?: PublishOptions,
  ): Promise<void>;
  /**
   * Registers a group's handler for events of one type. Call it in `routes`; events are delivered once the service has started.
   *
   * @throws TypeError for an invalid group name, or a group that has a handler for this type already
   */
  subscribe<Desc extends DescMessage>(schema: Desc, options: SubscribeOptions, handler: EventHandler<Desc>): void;
}

export interface EventsOptions {
  readonly broker: EventBroker;
  /** Database of outbox and inbox. Without it, an event may be lost between a handler and the broker, or be handled twice. */
  readonly database?: Database;
  /** The database's name, for metrics. */
  readonly databaseName?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Registry;
  /** Aborts the wait for the creation of the tables. */
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly failpoint?: Failpoint;
  /** Wall-clock time. Default `Date.now`. */
  readonly wallClockMs?: () => number;
}

/** The lifecycle of events in a service. */
export interface RunningEvents {
  readonly events: Events;
  /** Creates missing tables, then starts sending and handling. */
  begin(): Promise<void>;
  /** Stops deliveries; running handlers continue. */
  pause(): Promise<void>;
  /** Waits for running handlers and sends the contents of the outbox. Does not close broker and database. */
  end(): Promise<void>;
}

const groupForm = /^[a-z0-9][a-z0-9-]{0,62}$/;
const defaultInFlight = 16;

/** Connects a service and a broker by outbox, inbox and subscriptions. */
export function createEvents(options: EventsOptions): RunningEvents {
  const { broker, database, clock, log, metrics } = options;
  const { failpoint = noFailpoint, wallClockMs = Date.now } = options;
  const parts: SubscriptionParts = { broker, database, clock, log, metrics, failpoint, wallClockMs };
  const subscriptions = new Map<string, Subscription>();
  let relay: OutboxRelay | undefined;
  let hasBegun = false;

  const events: Events = {
    async publish(schema, message, publishOptions) {
      if (database !== undefined) {
        await database.transaction((tx) => tx.publish(schema, message, publishOptions));
        return;
      }
      const record = createEventRecord(schema, message, publishOptions);
      const stored = await broker.append([record]);
      if (!stored.has(record.id))
        throw new Error(`publish ${schema.typeName}: ${broker.description} did not store the event`);
    },
    subscribe(schema, subscribeOptions, handler) {
      const where = `subscribe ${schema.typeName}`;
      refuseUnknownOptions(where, subscribeOptions, ["group", "maxInFlight"]);
      const { group, maxInFlight = defaultInFlight } = subscribeOptions;
      checkWholeNumber(where, "maxInFlight", maxInFlight, 1, 10_000);
      if (!groupForm.test(group)) {
        throw new TypeError(
          `${where}: invalid group ${JSON.stringify(group)}: expected lower-case letters, digits and dashes`,
        );
      }
      const key = `${schema.typeName} ${group}`;
      if (subscriptions.has(key)) throw new TypeError(`${where}: group ${group} already has a handler`);
      // The broker delivers only messages of this type, so the cast is safe.
      const target = { schema, group, maxInFlight, handler: handler as EventHandler<DescMessage> };
      const subscription = new Subscription(parts, target);
      subscriptions.set(key, subscription);
      if (hasBegun) subscription.start();
    },
  };

  return {
    events,
    async begin() {
      if (database !== undefined) {
        await createEventTables(database, options.signal);
        const { databaseName: name = "default" } = options;
        const optional = metrics === undefined ? {} : { metrics };
        relay = startOutboxRelay({ database, broker, name, clock, log, failpoint, wallClockMs, ...optional });
      }
      hasBegun = true;
      for (const subscription of subscriptions.values()) subscription.start();
    },
    async pause() {
      await Promise.all([...subscriptions.values()].map((subscription) => subscription.pause()));
    },
    async end() {
      await Promise.all([...subscriptions.values()].map((subscription) => subscription.end()));
      await relay?.stop();
    },
  };
}
