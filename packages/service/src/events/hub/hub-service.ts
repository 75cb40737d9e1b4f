import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  type ConsumeRequest,
  type ConsumeResponse,
  ConsumeResponseSchema,
  EventHub as EventHubRpc,
  type Join,
  type Settle,
} from "../../gen/tercel/events/v1/event_hub_pb.ts";
import type { Delivery, EventBroker } from "../broker/event-broker.ts";
import { AsyncQueue } from "./async-queue.ts";
import { checkName, fromEventMessage, toEventMessage } from "./event-messages.ts";

type Step = NonNullable<MessageInitShape<typeof ConsumeResponseSchema>["step"]>;

/** Limit on the deliveries in flight of a member. */
const maxInFlight = 10_000;

/** Serves a hub to other processes. */
export function createHubRoutes(hub: EventBroker): (router: ConnectRouter) => void {
  return (router) => {
    router.service(EventHubRpc, {
      async append({ events }) {
        const records = events.map(fromEventMessage);
        try {
          await hub.append(records);
        } catch (error) {
          // The log rejects events when it is full.
          if (error instanceof RangeError) throw new ConnectError(error.message, Code.ResourceExhausted);
          throw new ConnectError("the event hub cannot store events", Code.Unavailable, undefined, undefined, error);
        }
        return {};
      },
      consume: (requests) => new HubMember(hub, requests).run(),
    });
  };
}

/** The server side of one Consume stream. */
class HubMember {
  readonly #hub: EventBroker;
  readonly #requests: AsyncIterator<ConsumeRequest>;
  /** Responses to send: at most a delivery and an outcome per event in flight. */
  readonly #responses = new AsyncQueue<ConsumeResponse>();
  readonly #deliveries = new Map<bigint, Delivery>();
  #numbers = 0n;

  constructor(hub: EventBroker, requests: AsyncIterable<ConsumeRequest>) {
    this.#hub = hub;
    this.#requests = requests[Symbol.asyncIterator]();
  }

  async *run(): AsyncGenerator<ConsumeResponse> {
    const { topic, group, maxInFlight: wanted } = await this.#readJoin();
    this.#send({ case: "joined", value: {} });
    const consumer = this.#hub.consume({ topic, group, maxInFlight: wanted }, (delivery) => {
      this.#numbers += 1n;
      this.#deliveries.set(this.#numbers, delivery);
      const event = toEventMessage(delivery.record);
      this.#send({ case: "delivery", value: { number: this.#numbers, event, attempt: delivery.attempt } });
    });
    this.#read(() => consumer.pause()).then(
      () => this.#responses.end(),
      (error) => this.#responses.fail(error),
    );
    try {
      yield* this.#responses;
    } finally {
      await consumer.close();
    }
  }

  async #readJoin(): Promise<Join> {
    const { value: first, done } = await this.#requests.next();
    if (done === true || first.step.case !== "join") {
      throw new ConnectError("the first message of Consume must join a group", Code.InvalidArgument);
    }
    const join = first.step.value;
    checkName("topic", join.topic);
    checkName("group", join.group);
    if (join.maxInFlight >= 1 && join.maxInFlight <= maxInFlight) return join;
    throw new ConnectError(
      `invalid max_in_flight ${join.maxInFlight}: expected 1 to ${maxInFlight}`,
      Code.InvalidArgument,
    );
  }

  /** Reads requests until the member half-closes, which leaves the group. */
  async #read(pause: () => Promise<void>): Promise<void> {
    for (let next = await this.#requests.next(); next.done !== true; next = await this.#requests.next()) {
      const { step } = next.value;
      // Not awaited one by one, so that those of one turn are stored together.
      if (step.case === "settle") this.#settle(step.value).catch((error) => this.#responses.fail(error));
      else if (step.case === "pause") await pause();
      else throw new ConnectError("expected a settlement or a pause", Code.InvalidArgument);
    }
  }

  async #settle({ delivery: number, outcome }: Settle): Promise<void> {
    const delivery = this.#deliveries.get(number);
    if (delivery === undefined)
      throw new ConnectError(`unknown or already settled delivery ${number}`, Code.InvalidArgument);
    this.#deliveries.delete(number);
    if (outcome.case === "acknowledge") await delivery.acknowledge();
    else if (outcome.case === "retry") await delivery.retry(outcome.value.delayMs);
    else if (outcome.case === "bury") await delivery.bury(outcome.value.reason.slice(0, 1000));
    else throw new ConnectError("settlement without an outcome", Code.InvalidArgument);
    this.#send({ case: "settled", value: { delivery: number } });
  }

  #send(step: Step): void {
    this.#responses.push(create(ConsumeResponseSchema, { step }));
  }
}
