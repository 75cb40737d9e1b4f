import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "@tercel/grpc";
import { createFakeClock, type FakeClock } from "@tercel/grpc/testing";
import { describeBrokerContract } from "../../testing/broker-contract.ts";
import type { Delivery } from "../broker/event-broker.ts";
import type { EventRecord } from "../event-record.ts";
import { EventHub } from "./event-hub.ts";
import { EventLog } from "./event-log.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const description = "event hub in memory";

describeBrokerContract("the event hub", async () => {
  const events = await EventLog.open({ path: ":memory:" }, systemClock);
  const broker = new EventHub(events, { log, clock: systemClock, description });
  return { broker, other: broker, close: () => broker.close() };
});

describe("the event hub", () => {
  async function opened(t: TestContext, clock: FakeClock = createFakeClock()) {
    const events = await EventLog.open({ path: ":memory:", wallClockMs: () => clock.nowMs() }, clock);
    const options = { log, clock, description, forgetGroupsAfterMs: 3_600_000, wallClockMs: () => clock.nowMs() };
    const hub = new EventHub(events, options);
    t.after(() => hub.close());
    return { hub, events, clock };
  }
  let ids = 0;
  const record = (text: string, key = ""): EventRecord => ({
    id: String(++ids),
    topic: "test.v1.Event",
    key,
    payload: Buffer.from(text),
    traceParent: "",
    publishedMs: 0,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("lets other keys overtake one that waits for its next attempt", async (t) => {
    const { hub, clock } = await opened(t);
    const got: Delivery[] = [];
    hub.consume({ topic: "test.v1.Event", group: "g", maxInFlight: 1 }, (delivery) => got.push(delivery));
    await hub.append([record("a1", "a"), record("a2", "a"), record("b1", "b"), record("free")]);
    const texts = () => got.map(({ record: { payload } }) => Buffer.from(payload).toString());
    await turn();
    await got[0]?.retry(1000);
    await turn();
    await got[1]?.acknowledge();
    await turn();
    await got[2]?.acknowledge();
    await turn();
    assert.deepEqual(texts(), ["a1", "b1", "free"]);
    await clock.advance(999);
    assert.equal(got.length, 3);
    await clock.advance(1);
    await turn();
    await got[3]?.acknowledge();
    await turn();
    assert.deepEqual(texts(), ["a1", "b1", "free", "a1", "a2"]);
  });

  it("deletes an event when every group has settled it, and not before", async (t) => {
    const { hub, events } = await opened(t);
    const got: Delivery[] = [];
    for (const group of ["one", "two"]) {
      hub.consume({ topic: "test.v1.Event", group, maxInFlight: 1 }, (delivery) => got.push(delivery));
    }
    await hub.append([record("1")]);
    await turn();
    await got[0]?.acknowledge();
    assert.equal(events.count, 1);
    await got[1]?.acknowledge();
    assert.equal(events.count, 0);
    // Twice is once.
    await got[1]?.acknowledge();
  });

  it("forgets a group that has had no member for long, and what waited for it", async (t) => {
    const { hub, events, clock } = await opened(t);
    const gone = hub.consume({ topic: "test.v1.Event", group: "gone", maxInFlight: 1 }, () => {});
    hub.consume({ topic: "test.v1.Event", group: "stays", maxInFlight: 1 }, (delivery) => void delivery.acknowledge());
    await gone.close();
    await hub.append([record("1")]);
    await turn();
    assert.equal(events.count, 1);
    await clock.advance(3 * 3_600_000);
    assert.equal(events.count, 0);
  });
});
