import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { ConsumeOptions, Consumer, Delivery, EventBroker } from "../events/broker/event-broker.ts";
import type { EventRecord } from "../events/event-record.ts";

/** The broker under test. */
export interface BrokerSubject {
  readonly broker: EventBroker;
  /** Another object for the same broker, as in another process. */
  readonly other: EventBroker;
  close(): Promise<void>;
}

/** Collects deliveries in order. */
class Received {
  readonly deliveries: Delivery[] = [];
  readonly #waiting: ((delivery: Delivery) => void)[] = [];

  readonly onDelivery = (delivery: Delivery): void => {
    const next = this.#waiting.shift();
    if (next === undefined) this.deliveries.push(delivery);
    else next(delivery);
  };

  next(): Promise<Delivery> {
    const first = this.deliveries.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async acknowledged(): Promise<string> {
    const delivery = await this.next();
    await delivery.acknowledge();
    return textOf(delivery.record);
  }
}

const textOf = (record: EventRecord): string => Buffer.from(record.payload).toString();

/** Defines the contract tests of the port `EventBroker` for an adapter. */
export function describeBrokerContract(name: string, open: () => Promise<BrokerSubject>): void {
  describe(`${name} keeps the contract of brokers`, { timeout: 120_000 }, () => {
    let subject: BrokerSubject;
    let broker: EventBroker;
    before(async () => {
      subject = await open();
      broker = subject.broker;
    });
    after(() => subject.close());

    let topics = 0;
    /** Returns a topic that is unique to a test. */
    const newTopic = (): string => `test.v1.Event${++topics}`;
    const record = (topic: string, text: string, key = ""): EventRecord => ({
      id: randomUUID(),
      topic,
      key,
      payload: Buffer.from(text),
      traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      publishedMs: 1_700_000_000_123,
    });
    const append = async (...records: EventRecord[]): Promise<void> => {
      assert.deepEqual(await broker.append(records), new Set(records.map(({ id }) => id)));
    };
    const consume = (options: Partial<ConsumeOptions> & { topic: string }, on: EventBroker = broker) => {
      const received = new Received();
      const consumer: Consumer = on.consume({ group: "readers", maxInFlight: 8, ...options }, received.onDelivery);
      return { received, consumer };
    };

    it("hands an event over as it was appended", async () => {
      const topic = newTopic();
      const { received, consumer } = consume({ topic });
      const sent = record(topic, "ä", "key");
      await append(sent);
      const { record: got, attempt, acknowledge } = await received.next();
      assert.deepEqual({ ...got, payload: textOf(got) }, { ...sent, payload: "ä" });
      assert.equal(attempt, 1);
      await acknowledge();
      await consumer.close();
    });

    it("hands what came before a group's first member to that member, in order within a key", async () => {
      const topic = newTopic();
      await append(record(topic, "1", "a"), record(topic, "2", "a"), record(topic, "3", "a"));
      const { received, consumer } = consume({ topic });
      const texts = [await received.acknowledged(), await received.acknowledged(), await received.acknowledged()];
      assert.deepEqual(texts, ["1", "2", "3"]);
      await consumer.close();
    });

    it("hands each event to every group, and to one member of it", async () => {
      const topic = newTopic();
      const shared = new Received();
      const members = [broker, subject.other].map((on) =>
        on.consume({ topic, group: "readers", maxInFlight: 4 }, shared.onDelivery),
      );
      const audit = consume({ topic, group: "audit" }, subject.other);
      const events = Array.from({ length: 12 }, (_, at) => record(topic, String(at), `key ${at}`));
      await append(...events);
      const [read, audited]: [string[], string[]] = [[], []];
      while (read.length < 12) read.push(await shared.acknowledged());
      while (audited.length < 12) audited.push(await audit.received.acknowledged());
      const all = events.map(textOf).toSorted();
      assert.deepEqual([read.toSorted(), audited.toSorted()], [all, all]);
      assert.deepEqual(shared.deliveries, []);
      for (const consumer of [...members, audit.consumer]) await consumer.close();
    });

    it("hands over one event of a key at a time, also while an attempt is waiting", async () => {
      const topic = newTopic();
      const { received, consumer } = consume({ topic });
      await append(record(topic, "a1", "a"), record(topic, "a2", "a"));
      const first = await received.next();
      assert.equal(textOf(first.record), "a1");
      await first.retry(50);
      const again = await received.next();
      assert.deepEqual([textOf(again.record), again.attempt], ["a1", 2]);
      await again.retry(0);
      const third = await received.next();
      assert.deepEqual([textOf(third.record), third.attempt], ["a1", 3]);
      await third.acknowledge();
      assert.equal(await received.acknowledged(), "a2");
      await consumer.close();
    });

    it("takes an event that is appended again for the same", async () => {
      const topic = newTopic();
      const { received, consumer } = consume({ topic });
      const twice = record(topic, "once", "a");
      await append(twice);
      await append(twice, record(topic, "next", "a"));
      assert.deepEqual([await received.acknowledged(), await received.acknowledged()], ["once", "next"]);
      await consumer.close();
    });

    it("moves what a group gives up to its dead letters, and continues with the next", async () => {
      const topic = newTopic();
      const { received, consumer } = consume({ topic, group: "giving-up" });
      const poison = record(topic, "poison", "a");
      await append(poison, record(topic, "next", "a"));
      await (await received.next()).bury("it cannot be read");
      assert.equal(await received.acknowledged(), "next");
      const dead = consume({ topic: "dead.giving-up", group: "undertaker" });
      const found = await dead.received.next();
      assert.equal(textOf(found.record), "poison");
      assert.notEqual(found.record.id, poison.id);
      await found.acknowledge();
      for (const one of [consumer, dead.consumer]) await one.close();
    });

    it("hands the unsettled events of a member that leaves to another", async () => {
      const topic = newTopic();
      const leaving = consume({ topic });
      await append(record(topic, "1", "a"));
      await leaving.received.next();
      await leaving.consumer.close();
      const staying = consume({ topic }, subject.other);
      assert.equal(await staying.received.acknowledged(), "1");
      await staying.consumer.close();
    });

    it("hands no more to a member that has paused, which can still settle", async () => {
      const topic = newTopic();
      const pausing = consume({ topic });
      await append(record(topic, "1", "a"));
      const held = await pausing.received.next();
      await pausing.consumer.pause();
      await append(record(topic, "2", "b"));
      await held.acknowledge();
      const next = consume({ topic }, subject.other);
      assert.equal(await next.received.acknowledged(), "2");
      assert.deepEqual(pausing.received.deliveries, []);
      for (const { consumer } of [pausing, next]) await consumer.close();
    });

    it("leaves no more than `maxInFlight` events with a member", async () => {
      const topic = newTopic();
      const { received, consumer } = consume({ topic, maxInFlight: 2 });
      await append(...Array.from({ length: 5 }, (_, at) => record(topic, String(at), `key ${at}`)));
      const held = [await received.next(), await received.next()];
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(received.deliveries.length, 0);
      for (const delivery of held) await delivery.acknowledge();
      for (let at = 0; at < 3; at++) await received.acknowledged();
      await consumer.close();
    });
  });
}
