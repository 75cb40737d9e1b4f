import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Int32ValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { LogFields } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { createRegistry } from "@tercel/interceptors/metrics";
import { currentTraceParent, traceWork } from "@tercel/interceptors/tracing";
import { createOccasion, quiet } from "@tercel/test-support/async";
import sql from "sql-template-tag";
import type { Database } from "../database/database.ts";
import { DatabaseUnavailable } from "../database/database-errors.ts";
import { openSqlite } from "../database/sqlite/sqlite-database.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import type { HandledEvent } from "./consume/subscription.ts";
import { createEvents, type EventsOptions } from "./events.ts";
import { EventHub } from "./hub/event-hub.ts";
import { EventLog } from "./hub/event-log.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function started(t: TestContext, more: Partial<EventsOptions> & { hasDatabase?: boolean } = {}) {
  const clock = createFakeClock();
  const { hasDatabase = true, ...options } = more;
  const log = await EventLog.open({ path: ":memory:" }, clock);
  const hub = new EventHub(log, { log: silent, clock, description: "events in memory" });
  const database = await openSqlite({ path: ":memory:" }, { name: "main", clock });
  await database.run(sql`CREATE TABLE handled (text TEXT NOT NULL) STRICT`);
  const lines: [string, LogFields | undefined][] = [];
  const note = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  const parts = {
    broker: hub as EventBroker,
    clock,
    log: { ...silent, warn: note, error: note },
    ...(hasDatabase && { database: database as Database }),
  };
  const running = createEvents({ ...parts, ...options });
  t.after(async () => {
    await running.end();
    await hub.close();
    await database.close();
  });
  return { ...running, clock, hub, log, lines, database };
}

const handledTexts = async (database: Database) =>
  (await database.all<{ text: string }>(sql`SELECT text FROM handled ORDER BY rowid`)).map(({ text }) => text);

describe("events", () => {
  it("that are published with a transaction are handled once it is committed", async (t) => {
    const { events, begin, database } = await started(t);
    const handled = createOccasion<HandledEvent>();
    events.subscribe(StringValueSchema, { group: "readers" }, async ({ value }, tx, event) => {
      await tx.run(sql`INSERT INTO handled VALUES (${value})`);
      handled.happen(event);
    });
    await begin();
    const undone = database.transaction(async (tx) => {
      await tx.publish(StringValueSchema, { value: "undone" });
      throw new Error("undone");
    });
    await assert.rejects(undone, /undone/);
    await database.transaction((tx) => tx.publish(StringValueSchema, { value: "done" }, { key: "k" }));
    const event = await handled.happened;
    assert.deepEqual([event.key, event.attempt], ["k", 1]);
    assert.match(event.id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(event.publishedAt.getTime() - Date.now()) < 60_000);
    assert.deepEqual(await handledTexts(database), ["done"]);
  });

  it("reach the stream at the next commit, without waiting for a poll", async (t) => {
    const { events, begin, clock } = await started(t);
    const handled = createOccasion();
    events.subscribe(StringValueSchema, { group: "readers" }, () => handled.happen());
    await begin();
    await events.publish(StringValueSchema, { value: "x" });
    await handled.happened;
    assert.equal(clock.nowMs(), 1_000_000);
  });

  it("are handled in order within a key, and side by side otherwise", async (t) => {
    const { events, begin, database } = await started(t);
    const done = createOccasion();
    const release = createOccasion();
    const order: string[] = [];
    events.subscribe(StringValueSchema, { group: "readers" }, async ({ value }) => {
      order.push(value);
      if (value === "b1") release.happen();
      if (value === "a1") await release.happened;
      if (value === "a3") done.happen();
    });
    await begin();
    await database.transaction(async (tx) => {
      for (const value of ["a1", "a2", "a3", "b1"]) {
        await tx.publish(StringValueSchema, { value }, { key: value.charAt(0) });
      }
    });
    // In a database in memory handlers take turns, so this one does without.
    release.happen();
    await done.happened;
    assert.deepEqual(
      order.filter((value) => value.startsWith("a")),
      ["a1", "a2", "a3"],
    );
  });

  it("are tried again after 1 s to 10 min, and given up after the sixth attempt", async (t) => {
    const metrics = createRegistry();
    const { events, begin, clock, lines, hub, database } = await started(t, { metrics });
    const attempts: number[] = [];
    events.subscribe(StringValueSchema, { group: "readers" }, async (_message, tx, { attempt }) => {
      await tx.run(sql`INSERT INTO handled VALUES (${"undone"})`);
      attempts.push(attempt);
      throw new Error("cannot");
    });
    await begin();
    await events.publish(StringValueSchema, { value: "poison" });
    await quiet();
    const seen: number[] = [];
    for (const delayMs of [1000, 5000, 25_000, 120_000, 600_000]) {
      await clock.advance(delayMs - 1);
      await quiet();
      seen.push(attempts.length);
      await clock.advance(1);
      await quiet();
      seen.push(attempts.length);
    }
    assert.deepEqual(attempts, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(seen, [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
    const dead = createOccasion<string>();
    hub.consume({ topic: "dead.readers", group: "g", maxInFlight: 1 }, ({ record }) => dead.happen(record.topic));
    assert.equal(await dead.happened, "dead.readers");
    const [message, fields] = lines.at(-1) ?? [];
    assert.deepEqual(
      [message, fields?.deadTopic, fields?.attempt],
      ["event moved to the dead letters", "dead.readers", 6],
    );
    assert.deepEqual(await handledTexts(database), []);
    const counted = metrics.collect().find(({ name }) => name === "tercel_events_handled_total");
    assert.deepEqual(
      [...(counted?.series.values() ?? [])].map(({ values, series }) => [
        values[2],
        (series as { value: number }).value,
      ]),
      [
        ["retried", 5],
        ["dead", 1],
      ],
    );
  });

  it("wait for a database that is away, without using up their attempts", async (t) => {
    const { database: real, ...rest } = await openedDatabase(t);
    let isAway = true;
    const database: Database = {
      ...rest.bound,
      transaction: (work, options) =>
        isAway
          ? Promise.reject(new DatabaseUnavailable("db", new Error("ECONNREFUSED")))
          : real.transaction(work, options),
    };
    const { events, begin, clock, hub } = await started(t, { database });
    const handled = createOccasion<number>();
    events.subscribe(StringValueSchema, { group: "readers" }, (_message, _tx, { attempt }) => handled.happen(attempt));
    await begin();
    await hub.append([
      {
        id: "1",
        topic: StringValueSchema.typeName,
        key: "",
        payload: new Uint8Array(),
        traceParent: "",
        publishedMs: 0,
      },
    ]);
    await clock.advance(3_600_000);
    isAway = false;
    await clock.advance(60_000);
    assert.equal(await handled.happened, 1);
  });

  it("take effect once, however often they are delivered", async (t) => {
    const { events, begin, hub, database } = await started(t);
    let calls = 0;
    events.subscribe(StringValueSchema, { group: "readers" }, async ({ value }, tx) => {
      calls++;
      await tx.run(sql`INSERT INTO handled VALUES (${value})`);
    });
    await begin();
    const record = {
      topic: StringValueSchema.typeName,
      key: "",
      payload: new Uint8Array([10, 1, 120]),
      traceParent: "",
      publishedMs: 0,
    };
    for (let at = 0; at < 3; at++) {
      await hub.append([{ ...record, id: "same" }]);
      await quiet();
    }
    assert.equal(calls, 1);
    assert.deepEqual(await handledTexts(database), ["x"]);
  });

  it("stay in the outbox while the stream is away, and are sent in order when it is back", async (t) => {
    let isAway = true;
    const sent: string[] = [];
    const broker: EventBroker = {
      description: "stream",
      async append(records) {
        if (isAway) throw new Error("connect ECONNREFUSED");
        sent.push(...records.map(({ key }) => key));
        return new Set(records.map(({ id }) => id));
      },
      consume: () => ({ async pause() {}, async close() {} }),
      async check() {},
      async close() {},
    };
    const metrics = createRegistry();
    const { events, begin, clock, database, lines } = await started(t, { broker, metrics });
    await begin();
    for (const key of ["1", "2", "3"]) await events.publish(Int32ValueSchema, { value: 1 }, { key });
    await clock.advance(60_000);
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 3 });
    const value = (name: string) => {
      const [one] =
        metrics
          .collect()
          .find((family) => family.name === name)
          ?.series.values() ?? [];
      return (one?.series as { value: number } | undefined)?.value;
    };
    assert.equal(value("tercel_outbox_pending"), 3);
    // One line after each doubling.
    assert.ok(lines.length < 8, String(lines.length));
    assert.match(String(lines[0]?.[1]?.error), /ECONNREFUSED/);
    isAway = false;
    await clock.advance(60_000);
    assert.deepEqual(sent, ["1", "2", "3"]);
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 0 });
    await clock.advance(10_000);
    assert.equal(value("tercel_outbox_pending"), 0);
  });

  it("continue the trace of the code that published them", async (t) => {
    const { events, begin } = await started(t);
    const handled = createOccasion<string | undefined>();
    events.subscribe(StringValueSchema, { group: "readers" }, () => handled.happen(currentTraceParent()));
    await begin();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await traceWork("request", `00-${traceId}-b7ad6b7169203331-01`, async () => {
      await events.publish(StringValueSchema, { value: "x" });
    });
    assert.equal((await handled.happened)?.split("-")[1], traceId);
  });

  it("are refused when they are too large, inside of a transaction by the wrong method, or with unknown options", async (t) => {
    const { events, begin, database } = await started(t);
    await begin();
    const large = { value: "x".repeat(1024 * 1024) };
    await assert.rejects(
      events.publish(StringValueSchema, large),
      /the message has 1048580 bytes; the limit is 1032192/,
    );
    await assert.rejects(
      events.publish(StringValueSchema, { value: "" }, { kye: "a" } as object),
      /did you mean "key"/,
    );
    await assert.rejects(
      events.publish(StringValueSchema, { value: "" }, { key: "k".repeat(257) }),
      /key has 257 characters/,
    );
    await events.publish(StringValueSchema, { value: "" }, { key: "k".repeat(256) });
    await database.transaction(async () => {
      await assert.rejects(events.publish(StringValueSchema, { value: "x" }), /call it on tx/);
    });
  });

  it("are handled by one handler of a group, whose name is checked", async (t) => {
    const { events } = await started(t);
    const subscribe = (group: string) => events.subscribe(StringValueSchema, { group }, () => {});
    subscribe("a");
    assert.throws(() => subscribe("a"), /group a already has a handler/);
    for (const group of ["", "A", "a.b", "-a", "x".repeat(64)]) {
      assert.throws(() => subscribe(group), /expected lower-case letters, digits and dashes/, group);
    }
    assert.throws(() => events.subscribe(StringValueSchema, { group: "b", maxInFlight: 0 }, () => {}), RangeError);
  });

  it("work without a database, whose absence is explained to a handler that needs one", async (t) => {
    const { events, begin } = await started(t, { hasDatabase: false });
    const handled = createOccasion<unknown>();
    events.subscribe(StringValueSchema, { group: "readers" }, async (_message, tx) => {
      await tx.run(sql`DELETE FROM handled`).catch(handled.happen);
    });
    await begin();
    await events.publish(StringValueSchema, { value: "x" });
    assert.match(String(await handled.happened), /without a database: add `db: database\(\)` to the service's needs/);
  });

  it("end in order: the running handler is waited for, and its own events are sent", async (t) => {
    const { events, begin, pause, end, log, database } = await started(t);
    const entered = createOccasion();
    const go = createOccasion();
    events.subscribe(StringValueSchema, { group: "readers", maxInFlight: 1 }, async (_message, tx) => {
      entered.happen();
      await go.happened;
      await tx.publish(Int32ValueSchema, { value: 1 });
    });
    await begin();
    await events.publish(StringValueSchema, { value: "1" });
    await entered.happened;
    await pause();
    const ending = end();
    go.happen();
    await ending;
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 0 });
    assert.equal(log.count, 1);
  });
});

async function openedDatabase(t: TestContext) {
  const database = await openSqlite({ path: ":memory:" }, { name: "main", clock: createFakeClock() });
  t.after(() => database.close());
  const { all, first, one, run, stream, dialect, description } = database;
  const bound = {
    all,
    first,
    one,
    run,
    stream,
    dialect,
    description,
    tryLock: database.tryLock.bind(database),
    openMigrationSession: database.openMigrationSession.bind(database),
  };
  return { database, bound };
}
