import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createContextValues,
  type Transport,
} from "@connectrpc/connect";
import { type Clock, createBackoff, keepsProcessAlive, type Log } from "@tercel/grpc";
import { pause } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";
import {
  type ConsumeRequest,
  ConsumeRequestSchema,
  type Delivery as DeliveryMessage,
  EventHub as EventHubRpc,
  type SettleSchema,
} from "../../gen/tercel/events/v1/event_hub_pb.ts";
import type { ConsumeOptions, Consumer, Delivery, EventBroker } from "../broker/event-broker.ts";
import { EventRefused } from "../broker/event-refused.ts";
import type { EventRecord } from "../event-record.ts";
import { AsyncQueue } from "./async-queue.ts";
import { fromEventMessage, toEventMessage } from "./event-messages.ts";

export interface RemoteHubOptions {
  /** Transport to the process that hosts the hub. The caller must close it. */
  readonly transport: Transport;
  /** Description for messages: `event hub at 127.0.0.1:50049`. */
  readonly description: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Deadline of each append. Default 10,000: the disk may be slow. */
  readonly timeoutMs?: number;
  /** Backoff before a lost stream is reopened. Default from 100 ms to 5 s. */
  readonly backoff?: Backoff;
}

/** Half of the servers' default message limit. */
const maxAppendBytes = 2 * 1024 * 1024;
const eventOverheadBytes = 1024;

/** Creates a client of a hub in another process. */
export function createRemoteHub(options: RemoteHubOptions): EventBroker {
  const { transport, description, timeoutMs = 10_000 } = options;
  const client = createClient(EventHubRpc, transport);
  const members = new Set<RemoteMember>();
  return {
    description,
    async append(records) {
      const stored = new Set<string>();
      for (const portion of portionsOf(records)) {
        try {
          await client.append({ events: portion.map(toEventMessage) }, { timeoutMs });
        } catch (error) {
          // Stops here, so that no event overtakes an earlier one of its key.
          if (stored.size > 0) return stored;
          const failure = ConnectError.from(error);
          const text = `${description}: ${failure.message}`;
          if (failure.code === Code.InvalidArgument && records.length === 1)
            throw new EventRefused(text, { cause: error });
          throw new Error(text, { cause: error });
        }
        for (const { id } of portion) stored.add(id);
      }
      return stored;
    },
    consume(consumeOptions, onDelivery) {
      const member = new RemoteMember(client, options, consumeOptions, onDelivery);
      members.add(member);
      member.start();
      return {
        pause: () => member.pause(),
        async close() {
          members.delete(member);
          await member.close();
        },
      };
    },
    async check(signal) {
      try {
        await client.append({ events: [] }, { signal, timeoutMs });
      } catch (error) {
        throw explain(description, error);
      }
    },
    async close() {
      await Promise.all([...members].map((member) => member.close()));
    },
  };
}

function explain(description: string, error: unknown): Error {
  return new Error(`${description}: ${ConnectError.from(error).rawMessage}`, { cause: error });
}

/** Splits records into batches that fit into a message. */
function* portionsOf(records: readonly EventRecord[]): Generator<EventRecord[]> {
  let portion: EventRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.payload.length + eventOverheadBytes;
    if (portion.length > 0 && bytes + size > maxAppendBytes) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(record);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

type Step = NonNullable<MessageInitShape<typeof ConsumeRequestSchema>["step"]>;
type Outcome = NonNullable<MessageInitShape<typeof SettleSchema>["outcome"]>;

/** A member that reopens its stream when it is lost. */
class RemoteMember implements Consumer {
  readonly #client: Client<typeof EventHubRpc>;
  readonly #options: RemoteHubOptions;
  readonly #consumeOptions: ConsumeOptions;
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #stream: MemberStream | undefined;
  #isPaused = false;
  #running: Promise<void> = Promise.resolve();

  constructor(
    client: Client<typeof EventHubRpc>,
    options: RemoteHubOptions,
    consumeOptions: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ) {
    this.#client = client;
    this.#options = options;
    this.#consumeOptions = consumeOptions;
    this.#onDelivery = onDelivery;
    this.#backoff = options.backoff ?? createBackoff({ initialDelayMs: 100, maxDelayMs: 5000 });
  }

  start(): void {
    this.#running = this.#run();
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  async close(): Promise<void> {
    this.#isPaused = true;
    this.#closing.abort();
    this.#stream?.leave();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, description } = this.#options;
    let failures = 0;
    // A paused member does not reopen its stream: its unsettled events go to others.
    while (!this.#isPaused) {
      const stream = new MemberStream(this.#consumeOptions, this.#onDelivery);
      this.#stream = stream;
      try {
        await stream.run(this.#client, () => {
          failures = 0;
        });
      } catch (error) {
        failures += 1;
        const { topic, group } = this.#consumeOptions;
        const isWorthALine = (failures & (failures - 1)) === 0 && !this.#isPaused;
        if (isWorthALine) log.warn("event stream lost", { broker: description, topic, group, error });
      }
      if (!this.#isPaused) await pause(clock, this.#backoff(Math.max(0, failures - 1)), this.#closing.signal);
    }
  }
}

interface Settlement {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class MemberStream {
  readonly #consumeOptions: ConsumeOptions;
  readonly #onDelivery: (delivery: Delivery) => void;
  /** Requests to send: at most one settlement per event in flight. */
  readonly #requests = new AsyncQueue<ConsumeRequest>();
  readonly #settling = new Map<bigint, Settlement>();
  #end: unknown;

  constructor(consumeOptions: ConsumeOptions, onDelivery: (delivery: Delivery) => void) {
    this.#consumeOptions = consumeOptions;
    this.#onDelivery = onDelivery;
  }

  async run(client: Client<typeof EventHubRpc>, onJoined: () => void): Promise<void> {
    this.#send({ case: "join", value: this.#consumeOptions });
    try {
      const contextValues = createContextValues().set(keepsProcessAlive, false);
      for await (const { step } of client.consume(this.#requests, { contextValues })) {
        if (step.case === "joined") onJoined();
        else if (step.case === "delivery") this.#deliver(step.value);
        else if (step.case === "settled") this.#settled(step.value.delivery);
      }
      this.#finish(new Error("event stream ended"));
    } catch (error) {
      this.#finish(error);
      throw error;
    }
  }

  pause(): void {
    this.#send({ case: "pause", value: {} });
  }

  leave(): void {
    this.#requests.end();
  }

  #deliver({ number, event, attempt }: DeliveryMessage): void {
    if (event === undefined) return;
    const settle = (outcome: Outcome): Promise<void> => this.#settle(number, outcome);
    this.#onDelivery({
      record: fromEventMessage(event),
      attempt,
      acknowledge: () => settle({ case: "acknowledge", value: {} }),
      retry: (delayMs) => settle({ case: "retry", value: { delayMs: Math.ceil(delayMs) } }),
      bury: (reason) => settle({ case: "bury", value: { reason } }),
      // The open stream shows that this process is alive.
      keepAlive() {},
    });
  }

  #settle(delivery: bigint, outcome: Outcome): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#settling.set(delivery, { resolve, reject });
      this.#send({ case: "settle", value: { delivery, outcome } });
    });
  }

  #settled(delivery: bigint): void {
    this.#settling.get(delivery)?.resolve();
    this.#settling.delete(delivery);
  }

  #finish(error: unknown): void {
    this.#end = error;
    this.#requests.end();
    for (const { reject } of this.#settling.values()) reject(error);
    this.#settling.clear();
  }

  #send(step: Step): void {
    this.#requests.push(create(ConsumeRequestSchema, { step }));
  }
}
