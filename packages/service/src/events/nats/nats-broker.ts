import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import type { Clock, Log } from "@tercel/grpc";
import { thrownMessage, thrownText } from "@tercel/grpc/internal";
import {
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  deadTopic,
  type EventBroker,
} from "../broker/event-broker.ts";
import { EventRefused } from "../broker/event-refused.ts";
import type { EventRecord } from "../event-record.ts";
import { appendInLanes } from "./append-in-lanes.ts";
import { DeliverySlots } from "./delivery-slots.ts";
import { durableName, partitionOf, partitions, subjectOf } from "./nats-subjects.ts";
import { PartitionReader, sayWorking } from "./partition-reader.ts";

/** The packages of NATS, loaded on demand. */
export interface NatsModules {
  readonly nats: typeof import("@nats-io/transport-node");
  readonly jetstream: typeof import("@nats-io/jetstream");
}

export interface NatsParts {
  readonly modules: NatsModules;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly description: string;
}

/** Acknowledgement timeout; a handler extends it every five seconds. */
const ackWaitMs = 15_000;
const nanosPerMs = 1_000_000;
/** JetStream's JSStreamMessageExceedsMaximumErr. */
const messageTooLarge = 10_054;

/** A broker on an existing JetStream stream. */
export class NatsBroker implements EventBroker {
  readonly description: string;
  readonly #parts: NatsParts;
  readonly #client: JetStreamClient;

  constructor(parts: NatsParts) {
    this.description = parts.description;
    this.#parts = parts;
    this.#client = parts.manager.jetstream();
  }

  append(records: readonly EventRecord[]): Promise<ReadonlySet<string>> {
    const onPartial = (error: unknown): void =>
      this.#parts.log.warn("cannot store some events", { broker: this.description, error: thrownText(error) });
    return appendInLanes(records, (record) => this.#publish(record.topic, record), onPartial);
  }

  consume(options: ConsumeOptions, onDelivery: (delivery: Delivery) => void): Consumer {
    const slots = new DeliverySlots(options.maxInFlight);
    const readers = Array.from({ length: partitions }, (_, partition) => {
      const reader = new PartitionReader({
        open: () => this.#openMessages(options, partition),
        toDelivery: (message, onSettled) => this.#toDelivery(message, options.group, onSettled),
        onDelivery,
        slots,
        clock: this.#parts.clock,
        log: this.#parts.log,
        description: `${this.description}, group ${options.group} of ${options.topic}`,
      });
      reader.start();
      return reader;
    });
    return {
      async pause() {
        for (const reader of readers) await reader.pause();
      },
      async close() {
        slots.close();
        for (const reader of readers) await reader.close();
      },
    };
  }

  async check(): Promise<void> {
    if (this.#parts.connection.isClosed()) throw new Error(`${this.description}: the connection is closed`);
    await this.#parts.manager.streams.info(this.#parts.stream);
  }

  async close(): Promise<void> {
    await this.#parts.connection.close();
  }

  async #publish(topic: string, record: EventRecord, id = record.id): Promise<void> {
    const headers = this.#parts.modules.nats.headers();
    headers.set("Tercel-Event-Id", id);
    headers.set("Tercel-Published-Ms", String(record.publishedMs));
    if (record.key !== "") headers.set("Tercel-Key", encodeURIComponent(record.key));
    if (record.traceParent !== "") headers.set("traceparent", record.traceParent);
    const subject = subjectOf(this.#parts.prefix, topic, partitionOf(record));
    try {
      // The server acknowledges duplicates too.
      await this.#client.publish(subject, record.payload, { msgID: id, headers, timeout: this.#parts.timeoutMs });
    } catch (error) {
      throw this.#isRefusal(error)
        ? new EventRefused(`${this.description}: ${thrownMessage(error)}`, { cause: error })
        : error;
    }
  }

  /** Whether the server can never store the message: it exceeds `max_payload` or the stream's `max_msg_size`. */
  #isRefusal(error: unknown): boolean {
    const { nats, jetstream } = this.#parts.modules;
    if (error instanceof nats.InvalidArgumentError) return true;
    return error instanceof jetstream.JetStreamApiError && error.code === messageTooLarge;
  }

  async #openMessages({ topic, group }: ConsumeOptions, partition: number): Promise<ConsumerMessages> {
    const { jetstream } = this.#parts.modules;
    const durable = durableName(group, topic, partition);
    await this.#parts.manager.consumers.add(this.#parts.stream, {
      durable_name: durable,
      filter_subject: subjectOf(this.#parts.prefix, topic, partition),
      ack_policy: jetstream.AckPolicy.Explicit,
      deliver_policy: jetstream.DeliverPolicy.All,
      // One unacknowledged message at a time keeps the order across members and attempts.
      max_ack_pending: 1,
      ack_wait: ackWaitMs * nanosPerMs,
      max_deliver: -1,
    });
    const consumer = await this.#client.consumers.get(this.#parts.stream, durable);
    return consumer.consume({ max_messages: 1 });
  }

  #toDelivery(message: JsMsg, group: string, onSettled: () => void): Delivery {
    const record = this.#toRecord(message);
    // An unsettled event is delivered again after the acknowledgement timeout.
    const settle = (act: () => Promise<unknown>): Promise<void> =>
      act()
        .then(() => {})
        .finally(onSettled);
    const acknowledge = async (): Promise<void> => {
      if (!(await message.ackAck({ timeout: this.#parts.timeoutMs }))) throw new Error("the event was already settled");
    };
    return {
      record,
      attempt: message.info.deliveryCount,
      acknowledge: () => settle(acknowledge),
      retry: (delayMs) => settle(async () => message.nak(delayMs)),
      bury: (reason) =>
        settle(async () => {
          this.#parts.log.debug("buried an event", { event: record.id, group, reason });
          // Burying twice has no effect, because the ID is the same. The group's log has the reason.
          await this.#publish(deadTopic(group), record, `${record.id}/${group}`);
          await acknowledge();
        }),
      keepAlive: () => sayWorking(message),
    };
  }

  #toRecord({ headers, subject, data, info, time }: JsMsg): EventRecord {
    const read = (name: string): string => (headers as MsgHdrs | undefined)?.get(name) ?? "";
    return {
      // Messages of other publishers have no ID.
      id: read("Tercel-Event-Id") || `${info.stream}/${info.streamSequence}`,
      topic: subject.slice(this.#parts.prefix.length + 1, subject.lastIndexOf(".")),
      key: decodeKey(read("Tercel-Key")),
      payload: data,
      traceParent: read("traceparent"),
      publishedMs: Number(read("Tercel-Published-Ms")) || time.getTime(),
    };
  }
}

/** Decodes a key; messages of other publishers may not be encoded. */
function decodeKey(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
