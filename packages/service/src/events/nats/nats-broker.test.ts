import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { systemClock } from "@tercel/grpc";
import { createOccasion } from "@tercel/test-support/async";
import { createNatsServer, freePorts, type NatsServer, withoutNats } from "@tercel/test-support/servers";
import { PermanentError } from "../../permanent-error.ts";
import { describeBrokerContract } from "../../testing/broker-contract.ts";
import type { Delivery } from "../broker/event-broker.ts";
import { EventRefused } from "../broker/event-refused.ts";
import { durableName, partitionOf, partitions, subjectOf } from "./nats-subjects.ts";
import { openNats } from "./open-nats.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const host = { service: "test", clock: systemClock, log };

describe("subjects of NATS", () => {
  it("have the event's topic and the partition of its key", () => {
    assert.equal(subjectOf("tercel.events", "shop.v1.OrderPlaced", 3), "tercel.events.shop.v1.OrderPlaced.3");
    assert.equal(durableName("mail", "shop.v1.OrderPlaced", 3), "mail-shop_v1_OrderPlaced-3");
    assert.equal(partitionOf({ id: "1", key: "a" }), partitionOf({ id: "2", key: "a" }));
    const used = new Set(Array.from({ length: 500 }, (_, at) => partitionOf({ id: String(at), key: "" })));
    assert.equal(used.size, partitions);
  });
});

describe("NATS", { skip: withoutNats, timeout: 180_000 }, () => {
  let server: NatsServer;
  let servers: string[];
  before(async () => {
    server = await createNatsServer();
    await server.start();
    servers = [`nats://127.0.0.1:${server.port}`];
  });
  after(() => server.dispose());

  describeBrokerContract("NATS", async () => {
    const broker = await openNats({ servers }, host);
    const other = await openNats({ servers }, host);
    return {
      broker,
      other,
      async close() {
        await broker.close();
        await other.close();
      },
    };
  });

  it("refuses for good an event that is larger than its stream takes, and stores the others", async (t) => {
    const connection = await connect({ servers });
    t.after(() => connection.close());
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "SMALL", subjects: ["small.>"], max_msg_size: 1024 });
    const broker = await openNats({ servers, stream: "SMALL", prefix: "small" }, host);
    t.after(() => broker.close());
    const record = (id: string, bytes: number) => {
      return { id, topic: "a.B", key: "", payload: new Uint8Array(bytes), traceParent: "", publishedMs: 1 };
    };
    await assert.rejects(broker.append([record("large", 2000)]), EventRefused);
    assert.deepEqual([...(await broker.append([record("large", 2000), record("small", 10)]))], ["small"]);
  });

  it("keeps its events when the server is killed, and is found again", async (t) => {
    const broker = await openNats({ servers, stream: "KILLED", prefix: "killed", timeoutMs: 3000 }, host);
    t.after(() => broker.close());
    const record = (id: string) => ({
      id,
      topic: "a.B",
      key: "k",
      payload: new Uint8Array([1]),
      traceParent: "",
      publishedMs: 1,
    });
    await broker.append([record("1")]);
    await server.kill();
    await assert.rejects(broker.append([record("2")]));
    await server.start();
    const got: Delivery[] = [];
    let onGot = (): void => {};
    const consumer = broker.consume({ topic: "a.B", group: "g", maxInFlight: 4 }, (delivery) => {
      got.push(delivery);
      onGot();
    });
    while (got.length === 0) {
      await new Promise<void>((resolve) => {
        onGot = resolve;
      });
    }
    assert.equal(got[0]?.record.id, "1");
    await got[0]?.acknowledge();
    await consumer.close();
  });

  it("delivers what other programs put into the stream, however they encode it", async (t) => {
    const broker = await openNats({ servers, stream: "FOREIGN", prefix: "foreign" }, host);
    t.after(() => broker.close());
    const connection = await connect({ servers });
    t.after(() => connection.close());
    const foreign = headers();
    foreign.set("Tercel-Key", "100%");
    await jetstream(connection).publish("foreign.a.B.3", "text", { headers: foreign });
    const got = createOccasion<Delivery>();
    const consumer = broker.consume({ topic: "a.B", group: "g", maxInFlight: 1 }, got.happen);
    const { record, acknowledge } = await got.happened;
    assert.deepEqual([record.id, record.topic, record.key], ["FOREIGN/1", "a.B", "100%"]);
    assert.ok(Math.abs(record.publishedMs - Date.now()) < 60_000);
    await acknowledge();
    await consumer.close();
  });

  it("refuses a stream that has other subjects, and says what to add", async () => {
    await (await openNats({ servers, stream: "TAKEN", prefix: "one" }, host)).close();
    await assert.rejects(openNats({ servers, stream: "TAKEN", prefix: "two" }, host), (error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /the stream TAKEN has the subjects one\.>; add two\.>, or name another stream/);
      return true;
    });
  });

  it("names the server that cannot be reached, without its password", async () => {
    const [port = 0] = await freePorts(1);
    const opening = openNats({ servers: [`nats://me:hidden@127.0.0.1:${port}`], timeoutMs: 1000 }, host);
    await assert.rejects(opening, (error) => {
      assert.ok(!(error instanceof PermanentError));
      assert.match((error as Error).message, new RegExp(`^nats at 127\\.0\\.0\\.1:${port}: `));
      assert.doesNotMatch((error as Error).message, /hidden/);
      return true;
    });
  });

  it("marks a wrong password as not worth a retry", async (t) => {
    const guarded = await createNatsServer(["--user", "me", "--pass", "right"]);
    t.after(() => guarded.dispose());
    await guarded.start();
    await (await openNats({ servers: [`nats://me:right@127.0.0.1:${guarded.port}`] }, host)).close();
    await assert.rejects(openNats({ servers: [`nats://me:wrong@127.0.0.1:${guarded.port}`] }, host), (error) => {
      assert.ok(error instanceof PermanentError, String(error));
      assert.match(error.message, /check the user and password in the servers' URL/);
      return true;
    });
  });
});
