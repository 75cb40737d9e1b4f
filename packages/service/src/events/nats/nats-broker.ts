import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg, StreamConfig } from "@nats-io/jetstream";
import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownText } from "@tercel/grpc/internal";
import { importPeer } from "../../import-peer.ts";
import { PermanentError } from "../../permanent-error.ts";
import {
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  deadTopic,
  type EventBroker,
} from "../broker/event-broker.ts";
import type { EventRecord } from "../event-record.ts";
import { appendInLanes } from "./append-in-lanes.ts";
import { DeliverySlots } from "./delivery-slots.ts";
import { durableName, partitionOf, partitions, subjectOf } from "./nats-subjects.ts";

export interface NatsOptions {
  /** `nats://user:password@host:4222`, or several. */
  readonly servers: readonly string[];
  /** The stream, which is made if there is none. Default `TERCEL_EVENTS`. */
  readonly stream?: string;
  /** What the stream's subjects begin with. Default `tercel.events`. */
  readonly prefix?: string;
  /** How long the stream keeps an event, handled or not. Default 7 days. */
  readonly maxAgeMs?: number;
  /** Copies of the stream in a cluster. Default 1. */
  readonly replicas?: number;
  /** How long to wait for the server. Default 5000. */
  readonly timeoutMs?: number;
}

export interface NatsHost {
  /** The connection's name, shown by the server. */
  readonly service: string;
  readonly clock: Clock;
  readonly log: Log;
}

export const natsPeer = { name: "@nats-io/transport-node", range: "^3" } as const;
export const jetstreamPeer = { name: "@nats-io/jetstream", range: "^3" } as const;

const dayMs = 24 * 60 * 60 * 1000;
const nanosPerMs = 1_000_000;
/** Long enough for a relay that was ended after it had sent, and starts again. */
const duplicateWindowMs = 5 * 60 * 1000;
/** A handler says every five seconds that it is alive. */
const ackWaitMs = 15_000;
/** Codes of NATS: no such stream; no right to connect. */
const streamNotFound = 10_059;

interface Modules {
  readonly nats: typeof import("@nats-io/transport-node");
  readonly jetstream: typeof import("@nats-io/jetstream");
}

/**
 * Connects to NATS and makes sure that the stream exists.
 *
 * @throws PermanentError for a missing package, refused credentials, or a stream that does not have the subjects
 */
export async function openNats(options: NatsOptions, host: NatsHost): Promise<EventBroker> {
  const modules: Modules = {
    nats: await importPeer("events nats", natsPeer, () => import("@nats-io/transport-node")),
    jetstream: await importPeer("events nats", jetstreamPeer, () => import("@nats-io/jetstream")),
  };
  const description = `nats at ${options.servers.map(withoutSecrets).join(", ")}`;
  const connection = await connect(modules, options, host, description);
  try {
    const manager = await modules.jetstream.jetstreamManager(connection, { timeout: options.timeoutMs ?? 5000 });
    await ensureStream(modules, manager, options, description);
    return new NatsBroker(modules, connection, manager, options, host, description);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function connect({ nats }: Modules, options: NatsOptions, { service }: NatsHost, description: string) {
  const urls = options.servers.map((server) => new URL(server.includes("://") ? server : `nats://${server}`));
  const { username, password } = urls[0] as URL;
  try {
    return await nats.connect({
      servers: urls.map(({ host }) => host),
      name: service,
      timeout: options.timeoutMs ?? 5000,
      maxReconnectAttempts: -1,
      ...(username !== "" && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      ...(urls.some(({ protocol }) => protocol === "tls:") && { tls: {} }),
    });
  } catch (error) {
    const text = `${description}: ${(error as Error).message}`;
    if (error instanceof nats.AuthorizationError || error instanceof nats.UserAuthenticationExpiredError) {
      throw new PermanentError(`${text}; user or password of the servers are wrong`, { cause: error });
    }
    throw new Error(text, { cause: error });
  }
}

async function ensureStream(
  { jetstream }: Modules,
  manager: JetStreamManager,
  options: NatsOptions,
  description: string,
): Promise<void> {
  const { stream = defaultStream, prefix = defaultPrefix, maxAgeMs = 7 * dayMs, replicas = 1 } = options;
  const subjects = [`${prefix}.>`];
  try {
    const { config } = await manager.streams.info(stream);
    if (config.subjects?.includes(subjects[0] as string)) return;
    throw new PermanentError(
      `${description}: the stream ${stream} has the subjects ${config.subjects?.join(", ")}; add ${subjects[0]}, or name another stream`,
    );
  } catch (error) {
    if (!(error instanceof jetstream.JetStreamApiError) || error.code !== streamNotFound) throw error;
  }
  const config: Partial<StreamConfig> & { name: string } = {
    name: stream,
    subjects,
    retention: jetstream.RetentionPolicy.Limits,
    storage: jetstream.StorageType.File,
    // Full means refused, so that events stay in the outbox, and not that the oldest are lost.
    discard: jetstream.DiscardPolicy.New,
    max_age: maxAgeMs * nanosPerMs,
    duplicate_window: Math.min(duplicateWindowMs, maxAgeMs) * nanosPerMs,
    num_replicas: replicas,
  };
  await manager.streams.add(config);
}

const defaultStream = "TERCEL_EVENTS";
const defaultPrefix = "tercel.events";

class NatsBroker implements EventBroker {
  readonly description: string;
  readonly #modules: Modules;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #host: NatsHost;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #timeoutMs: number;

  constructor(
    modules: Modules,
    connection: NatsConnection,
    manager: JetStreamManager,
    options: NatsOptions,
    host: NatsHost,
    description: string,
  ) {
    this.#modules = modules;
    this.#connection = connection;
    this.#manager = manager;
    this.#client = manager.jetstream();
    this.#host = host;
    this.#stream = options.stream ?? defaultStream;
    this.#prefix = options.prefix ?? defaultPrefix;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.description = description;
  }

  append(records: readonly EventRecord[]): Promise<ReadonlySet<string>> {
    return appendInLanes(records, (record) => this.#publish(record.topic, record));
  }

  consume(options: ConsumeOptions, onDelivery: (delivery: Delivery) => void): Consumer {
    const slots = new DeliverySlots(options.maxInFlight);
    const readers = Array.from({ length: partitions }, (_, partition) => {
      const reader = new PartitionReader({
        open: () => this.#openMessages(options, partition),
        toDelivery: (message, onSettled) => this.#toDelivery(message, options.group, onSettled),
        onDelivery,
        slots,
        host: this.#host,
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
    if (this.#connection.isClosed()) throw new Error(`${this.description}: the connection is closed`);
    await this.#manager.streams.info(this.#stream);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #publish(topic: string, record: EventRecord, id = record.id): Promise<void> {
    const headers = this.#modules.nats.headers();
    headers.set("Tercel-Event-Id", id);
    headers.set("Tercel-Published-Ms", String(record.publishedMs));
    if (record.key !== "") headers.set("Tercel-Key", encodeURIComponent(record.key));
    if (record.traceParent !== "") headers.set("traceparent", record.traceParent);
    const subject = subjectOf(this.#prefix, topic, partitionOf(record));
    // A duplicate is acknowledged as well.
    await this.#client.publish(subject, record.payload, { msgID: id, headers, timeout: this.#timeoutMs });
  }

  async #openMessages({ topic, group }: ConsumeOptions, partition: number): Promise<ConsumerMessages> {
    const { jetstream } = this.#modules;
    const durable = durableName(group, topic, partition);
    await this.#manager.consumers.add(this.#stream, {
      durable_name: durable,
      filter_subject: subjectOf(this.#prefix, topic, partition),
      ack_policy: jetstream.AckPolicy.Explicit,
      deliver_policy: jetstream.DeliverPolicy.All,
      // One at a time is what keeps the order, over all members of the group and over attempts.
      max_ack_pending: 1,
      ack_wait: ackWaitMs * nanosPerMs,
      max_deliver: -1,
    });
    const consumer = await this.#client.consumers.get(this.#stream, durable);
    return consumer.consume({ max_messages: 1 });
  }

  #toDelivery(message: JsMsg, group: string, onSettled: () => void): Delivery {
    const record = this.#toRecord(message);
    // What could not be settled comes again when the server's wait is over.
    const settle = (act: () => Promise<unknown>): Promise<void> =>
      act()
        .then(() => {})
        .finally(onSettled);
    const acknowledge = async (): Promise<void> => {
      if (!(await message.ackAck({ timeout: this.#timeoutMs }))) throw new Error("the event was settled before");
    };
    return {
      record,
      attempt: message.info.deliveryCount,
      acknowledge: () => settle(acknowledge),
      retry: (delayMs) => settle(async () => message.nak(delayMs)),
      bury: (reason) =>
        settle(async () => {
          this.#host.log.debug("buried an event", { event: record.id, group, reason });
          // Twice is once: the id is the same. The reason is in the log of the group.
          await this.#publish(deadTopic(group), record, `${record.id}/${group}`);
          await acknowledge();
        }),
      keepAlive: () => message.working(),
    };
  }

  #toRecord({ headers, subject, data, info }: JsMsg): EventRecord {
    const read = (name: string): string => (headers as MsgHdrs | undefined)?.get(name) ?? "";
    return {
      // What others have put into the stream has no id of ours.
      id: read("Tercel-Event-Id") || `${info.stream}/${info.streamSequence}`,
      topic: subject.slice(this.#prefix.length + 1, subject.lastIndexOf(".")),
      key: decodeURIComponent(read("Tercel-Key")),
      payload: data,
      traceParent: read("traceparent"),
      publishedMs: Number(read("Tercel-Published-Ms")),
    };
  }
}

interface ReaderParts {
  readonly open: () => Promise<ConsumerMessages>;
  readonly toDelivery: (message: JsMsg, onSettled: () => void) => Delivery;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly slots: DeliverySlots;
  readonly host: NatsHost;
  readonly description: string;
}

/** Reads one partition, again and again if need be. */
class PartitionReader {
  readonly #parts: ReaderParts;
  readonly #closing = new AbortController();
  readonly #backoff = createBackoff({ initialDelayMs: 100, maxDelayMs: 10_000 });
  /** Handed over or waiting for a slot, and not settled; there is one at most. */
  readonly #unsettled = new Set<JsMsg>();
  #messages: ConsumerMessages | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async pause(): Promise<void> {
    this.#closing.abort();
    await this.#messages?.close();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.pause();
    // At once, instead of when the server takes this process for dead.
    for (const message of this.#unsettled) message.nak();
    this.#unsettled.clear();
  }

  async #run(): Promise<void> {
    const { open, host, description } = this.#parts;
    for (let failures = 0; !this.#closing.signal.aborted; ) {
      try {
        this.#messages = await open();
        failures = 0;
        // It may have been paused meanwhile. Not awaited: closing ends with the loop.
        if (this.#closing.signal.aborted) void this.#messages.close();
        for await (const message of this.#messages) void this.#take(message);
      } catch (error) {
        failures += 1;
        if ((failures & (failures - 1)) === 0)
          host.log.warn("cannot read events", { from: description, error: thrownText(error) });
      }
      await pause(host.clock, this.#backoff(Math.max(0, failures - 1)), this.#closing.signal);
    }
  }

  async #take(message: JsMsg): Promise<void> {
    const { slots, toDelivery, onDelivery, host } = this.#parts;
    this.#unsettled.add(message);
    const hasSlot = await slots.acquire(host.clock, () => message.working());
    if (!hasSlot) return;
    const onSettled = (): void => {
      this.#unsettled.delete(message);
      slots.release();
    };
    onDelivery(toDelivery(message, onSettled));
  }
}

function withoutSecrets(server: string): string {
  return server.replace(/^[a-z]+:\/\//, "").replace(/^[^@]*@/, "");
}
