import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import type { EventRecord } from "../event-record.ts";
import { EventLog } from "./event-log.ts";

const none: ReadonlySet<number> = new Set();
let ids = 0;
const record = (topic: string, key = ""): EventRecord => ({
  id: `event-${++ids}`,
  topic,
  key,
  payload: new Uint8Array([1]),
  traceParent: "",
  publishedMs: 5,
});

describe("the event log", () => {
  async function inMemory(t: TestContext, maxEvents?: number): Promise<EventLog> {
    const events = await EventLog.open(
      { path: ":memory:", ...(maxEvents !== undefined && { maxEvents }) },
      createFakeClock(),
    );
    t.after(() => events.close());
    return events;
  }

  it("keeps events, groups and failed attempts over a restart, after which none is delayed", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-log-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "events.db");
    const before = await EventLog.open({ path }, createFakeClock());
    const id = before.subscribe("a", "g");
    before.append([record("a", "k"), record("a", "k")]);
    const [first] = before.next(id, 10, none);
    before.delay(id, first?.seq ?? 0);
    assert.deepEqual(before.next(id, 10, none), []);
    before.close();
    const again = await EventLog.open({ path }, createFakeClock());
    t.after(() => again.close());
    assert.equal(again.subscribe("a", "g"), id);
    assert.equal(again.count, 2);
    assert.deepEqual(
      again.next(id, 10, none).map(({ seq, attempts }) => [seq, attempts]),
      [[first?.seq, 1]],
    );
  });

  it("is open in one process at a time", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-log-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "events.db");
    const events = await EventLog.open({ path }, createFakeClock());
    t.after(() => events.close());
    const clock = createFakeClock();
    const second = assert.rejects(EventLog.open({ path }, clock), { errcode: 5 });
    await clock.advance(6000);
    await second;
  });

  it("refuses events when it is full, and names the slowest group", async (t) => {
    const events = await inMemory(t, 3);
    events.subscribe("a", "slow");
    events.append([record("a"), record("a"), record("a")]);
    assert.throws(
      () => events.append([record("a")]),
      /event log full: 3 events of at most 3, 3 bytes of at most \d+; the group slow has 3 of a to handle/,
    );
    assert.equal(events.count, 3);
  });

  it("takes as many bytes as it may, and again after some were settled", async (t) => {
    const events = await EventLog.open({ path: ":memory:", maxBytes: 10 }, createFakeClock());
    t.after(() => events.close());
    const id = events.subscribe("a", "g");
    const large = { ...record("a"), payload: new Uint8Array(10) };
    events.append([large]);
    assert.throws(() => events.append([record("a")]), /1 events of at most 1000000, 10 bytes of at most 10/);
    // A duplicate takes no place, but is not known for one before it is looked up.
    events.acknowledge([{ subscription: id, seq: 1 }]);
    events.append([record("a"), { ...record("a"), payload: new Uint8Array(9) }]);
    assert.throws(() => events.append([record("a")]), RangeError);
  });

  it("stores a batch whole or not at all", async (t) => {
    const events = await inMemory(t);
    const broken = { ...record("a"), payload: "not bytes" as unknown as Uint8Array };
    assert.throws(() => events.append([record("a"), broken]));
    assert.equal(events.count, 0);
  });

  it("keeps the newest 10,000 events of a topic that no group knows", async (t) => {
    const events = await inMemory(t);
    for (let batch = 0; batch < 11; batch++) events.append(Array.from({ length: 1000 }, () => record("unclaimed")));
    assert.equal(events.count, 10_000);
    const id = events.subscribe("unclaimed", "late");
    assert.equal(events.pending(id), 10_000);
    assert.equal(events.next(id, 1, none)[0]?.record.id, `event-${ids - 9999}`);
  });

  it("hands out the first of each key, and of those without one all", async (t) => {
    const events = await inMemory(t);
    const id = events.subscribe("a", "g");
    events.append([record("a", "x"), record("a", "x"), record("a"), record("a"), record("a", "y")]);
    const seqs = () => events.next(id, 10, none).map(({ seq }) => seq);
    assert.deepEqual(seqs(), [1, 3, 4, 5]);
    assert.deepEqual(
      events.next(id, 2, new Set([1, 3])).map(({ seq }) => seq),
      [4, 5],
    );
    events.acknowledge([{ subscription: id, seq: 1 }]);
    assert.deepEqual(seqs(), [2, 3, 4, 5]);
  });
});
