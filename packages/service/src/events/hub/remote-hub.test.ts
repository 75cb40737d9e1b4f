import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import { assertStatus, createInMemoryTransport } from "@tercel/grpc/testing";
import { createOccasion } from "@tercel/test-support/async";
import { EventHub as EventHubRpc } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import { describeBrokerContract } from "../../testing/broker-contract.ts";
import type { EventBroker } from "../broker/event-broker.ts";
import { maxPayloadBytes } from "../event-record.ts";
import { EventHub } from "./event-hub.ts";
import { EventLog } from "./event-log.ts";
import { createHubRoutes } from "./hub-service.ts";
import { createRemoteHub } from "./remote-hub.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const description = "event hub";
const record = { id: "1", topic: "a.B", key: "", payload: new Uint8Array(), traceParent: "", publishedMs: 1 };

async function hosted(maxEvents = 1000) {
  const hub = new EventHub(await EventLog.open({ path: ":memory:", maxEvents }, systemClock), {
    log,
    clock: systemClock,
    description,
  });
  const transport = createInMemoryTransport({ routes: createHubRoutes(hub) });
  const remote = createRemoteHub({ transport, description, clock: systemClock, log });
  return { hub, transport, remote };
}

describeBrokerContract("the event hub of another process", async () => {
  const { hub, transport, remote } = await hosted();
  const other = createRemoteHub({ transport, description, clock: systemClock, log });
  return {
    broker: remote,
    other,
    async close() {
      await remote.close();
      await other.close();
      await transport.close();
      await hub.close();
    },
  };
});

describe("the event hub of another process", () => {
  async function opened(t: TestContext, maxEvents?: number) {
    const parts = await hosted(maxEvents);
    t.after(async () => {
      await parts.remote.close();
      await parts.transport.close();
      await parts.hub.close();
    });
    return { ...parts, client: createClient(EventHubRpc, parts.transport) };
  }

  it("stores batches that are larger than a message may be", async (t) => {
    const { remote } = await opened(t);
    const records = Array.from({ length: 8 }, (_, at) => ({
      ...record,
      id: String(at),
      payload: new Uint8Array(maxPayloadBytes),
    }));
    assert.equal((await remote.append(records)).size, 8);
  });

  it("says which events were stored when the log became full on the way", async (t) => {
    const { remote, hub } = await opened(t, 3);
    const large = new Uint8Array(maxPayloadBytes);
    const records = Array.from({ length: 8 }, (_, at) => ({ ...record, id: String(at), payload: large }));
    assert.deepEqual(await remote.append(records), new Set(["0", "1"]));
    await assert.rejects(remote.append(records.slice(2)), /event log full: 2 events of at most 3,/);
    await hub.check();
  });

  it("refuses what no publisher of ours sends", async (t) => {
    const { client } = await opened(t);
    const wrong = [
      { id: "" },
      { topic: "" },
      { topic: "x".repeat(257) },
      { key: "k".repeat(257) },
      { payload: new Uint8Array(maxPayloadBytes + 1) },
    ];
    for (const part of wrong) {
      await assertStatus(client.append({ events: [{ ...record, publishedMs: 1n, ...part }] }), Code.InvalidArgument);
    }
  });

  it("refuses a stream that does not begin with a group, or settles what it was not given", async (t) => {
    const { client } = await opened(t);
    async function* requests(...steps: object[]) {
      for (const step of steps) yield { step } as object;
    }
    const read = async (...steps: object[]) => {
      for await (const _ of client.consume(requests(...steps)));
    };
    const join = { case: "join", value: { topic: "a", group: "g", maxInFlight: 1 } };
    const cases: object[][] = [
      [],
      [{ case: "pause", value: {} }],
      [{ ...join, value: { ...join.value, group: "" } }],
      [{ ...join, value: { ...join.value, maxInFlight: 0 } }],
      [{ ...join, value: { ...join.value, maxInFlight: 10_001 } }],
      [join, join],
      [join, { case: "settle", value: { delivery: 7n, outcome: { case: "acknowledge", value: {} } } }],
    ];
    for (const steps of cases) await assertStatus(read(...steps), Code.InvalidArgument);
  });

  it("opens a lost stream again, and has what was not settled delivered again", async (t) => {
    const hub = new EventHub(await EventLog.open({ path: ":memory:" }, systemClock), {
      log,
      clock: systemClock,
      description,
    });
    const transports = [0, 1].map(() => createInMemoryTransport({ routes: createHubRoutes(hub) }));
    let current = 0;
    const switching = {
      unary: (...args: Parameters<(typeof transports)[0]["unary"]>) =>
        (transports[current] as (typeof transports)[0]).unary(...args),
      stream: (...args: Parameters<(typeof transports)[0]["stream"]>) =>
        (transports[current] as (typeof transports)[0]).stream(...args),
    } as (typeof transports)[0];
    const remote: EventBroker = createRemoteHub({
      transport: switching,
      description,
      clock: systemClock,
      log,
      backoff: () => 1,
    });
    t.after(async () => {
      await remote.close();
      await transports[1]?.close();
      await hub.close();
    });
    const first = createOccasion();
    const second = createOccasion<number>();
    let deliveries = 0;
    remote.consume({ topic: "a.B", group: "g", maxInFlight: 1 }, (delivery) => {
      deliveries++;
      if (deliveries === 1) {
        first.happen();
        void second.happened.then(() => assert.rejects(delivery.acknowledge()));
      } else {
        void delivery.acknowledge().then(() => second.happen(delivery.attempt));
      }
    });
    await remote.append([record]);
    await first.happened;
    current = 1;
    await transports[0]?.close({ deadlineMs: 0 });
    // No attempt was counted: nothing says that the event is to blame.
    assert.equal(await second.happened, 1);
    assert.equal(deliveries, 2);
  });
});
