import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createFakeClock } from "@tercel/grpc/testing";
import { createRegistry, exposition } from "@tercel/interceptors/metrics";
import { openSqlite } from "../../database/sqlite/sqlite-database.ts";
import { EventRefused } from "../broker/event-refused.ts";
import type { EventRecord } from "../event-record.ts";
import { createEventTables } from "./event-tables.ts";
import { startOutboxRelay } from "./outbox-relay.ts";
import { listParkedEvents, retryParkedEvents } from "./parked-events.ts";

const wallMs = 1_700_000_000_000;

/** A relay over SQLite, and a stream that refuses as the test says. */
async function start(
  t: TestContext,
  refuse: (record: EventRecord) => Error | undefined,
  isAway = (): boolean => false,
) {
  const clock = createFakeClock();
  const metrics = createRegistry();
  const database = await openSqlite({ path: ":memory:" }, { name: "main", clock });
  await createEventTables(database);
  const stored: string[] = [];
  const logged: string[] = [];
  const textOf = ({ payload }: EventRecord): string => Buffer.from(payload.subarray(2)).toString();
  const broker = {
    description: "a stream in a test",
    async check() {
      if (isAway()) throw new Error("away");
    },
    async append(records: readonly EventRecord[]) {
      if (isAway()) throw new Error("away");
      // As a stream that takes all of a batch or nothing.
      for (const record of records) {
        const problem = refuse(record);
        if (problem !== undefined) throw problem;
      }
      for (const record of records) stored.push(textOf(record));
      return new Set(records.map(({ id }) => id));
    },
  };
  const note = (message: string): void => void logged.push(message);
  const log = { debug() {}, info() {}, warn: note, error: note };
  const relay = startOutboxRelay({ database, broker, name: "main", clock, log, metrics, wallClockMs: () => wallMs });
  t.after(async () => {
    const stopped = relay.stop();
    for (let turn = 0; turn < 100; turn++) await clock.advance(1000);
    await stopped;
    await database.close();
  });
  return {
    clock,
    database,
    stored,
    logged,
    publish: (value: string, key?: string) =>
      database.transaction((tx) => tx.publish(StringValueSchema, { value }, key === undefined ? {} : { key })),
    metricsText: () => exposition(metrics),
    /** Lets so many seconds pass, a second at a time. */
    async pass(seconds: number): Promise<void> {
      for (let second = 0; second < seconds; second++) {
        await clock.advance(1000);
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    textOf,
  };
}

describe("an event that the stream does not take", () => {
  it("is parked when the stream says that it never will; the rest is sent, and it can be looked at and retried", async (t) => {
    let isFixed = false;
    const relay = await start(t, (record) =>
      !isFixed && relay.textOf(record) === "poison" ? new EventRefused("message too large") : undefined,
    );
    for (const value of ["a", "poison", "b"]) await relay.publish(value, "k");
    await relay.pass(5);
    assert.deepEqual(relay.stored, ["a", "b"]);
    const [parked, ...others] = await listParkedEvents(relay.database);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [parked?.topic, parked?.key, parked?.reason, parked?.parkedAt.getTime()],
      ["google.protobuf.StringValue", "k", "message too large", wallMs],
    );
    assert.equal(parked === undefined ? "" : relay.textOf(parked as never), "poison");
    assert.ok(relay.logged.some((line) => line.includes("event parked")));
    assert.match(relay.metricsText(), /^tercel_outbox_parked\{database="main"\} 1$/m);
    assert.match(relay.metricsText(), /^tercel_outbox_parked_total\{database="main"\} 1$/m);

    isFixed = true;
    assert.equal(await retryParkedEvents(relay.database, [parked?.rowId ?? 0]), 1);
    await relay.pass(6);
    assert.deepEqual(relay.stored, ["a", "b", "poison"]);
    assert.deepEqual(await listParkedEvents(relay.database), []);
    assert.match(relay.metricsText(), /^tercel_outbox_parked\{database="main"\} 0$/m);
  });

  it("is parked when it is refused again and again while others are taken, and not before", async (t) => {
    const relay = await start(t, (record) => (relay.textOf(record) === "poison" ? new Error("no") : undefined));
    await relay.publish("poison");
    await relay.publish("a");
    await relay.pass(3);
    assert.deepEqual(relay.stored, ["a"]);
    for (let second = 0; second < 8; second++) {
      await relay.publish(String(second));
      await relay.pass(1);
    }
    assert.deepEqual(await listParkedEvents(relay.database), []);
    // When it is tried again is random, so how many seconds it takes is, too.
    let second = 8;
    for (; (await listParkedEvents(relay.database)).length === 0; second++) {
      assert.ok(second < 200, "it is still retried");
      await relay.publish(String(second));
      await relay.pass(1);
    }
    assert.equal((await listParkedEvents(relay.database))[0]?.reason, "no");
    await relay.pass(60);
    assert.equal(relay.stored.length, second + 1);
  });

  it("stays in the outbox while the stream takes nothing at all, however long that is", async (t) => {
    let isAway = true;
    const relay = await start(
      t,
      () => undefined,
      () => isAway,
    );
    for (const value of ["a", "b"]) await relay.publish(value);
    await relay.pass(300);
    assert.deepEqual(await listParkedEvents(relay.database), []);
    isAway = false;
    await relay.pass(60);
    assert.deepEqual(relay.stored, ["a", "b"]);
  });

  it("keeps back what has the same key, so that nothing overtakes it before it is parked", async (t) => {
    let refusals = 0;
    const relay = await start(t, (record) =>
      relay.textOf(record) === "first" && ++refusals < 8 ? new Error("not yet") : undefined,
    );
    await relay.publish("first", "k");
    await relay.publish("second", "k");
    await relay.publish("other");
    await relay.pass(40);
    assert.deepEqual(
      relay.stored.filter((text) => text !== "other"),
      ["first", "second"],
    );
  });
});
