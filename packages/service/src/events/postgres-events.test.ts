import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { systemClock } from "@tercel/grpc";
import { createRegistry } from "@tercel/interceptors/metrics";
import { createOccasion } from "@tercel/test-support/async";
import { createPostgresServer, type PostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import sql, { type Sql } from "sql-template-tag";
import type { Database, Transaction } from "../database/database.ts";
import { openPostgres, type PostgresDatabase } from "../database/postgres/postgres-database.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import { EventRefused } from "./broker/event-refused.ts";
import type { EventRecord } from "./event-record.ts";
import { createEvents } from "./events.ts";
import { noFailpoint } from "./failpoint.ts";
import { EventHub } from "./hub/event-hub.ts";
import { EventLog } from "./hub/event-log.ts";
import { handleOnce, purgeInbox } from "./inbox/once.ts";
import { createEventTables } from "./outbox/event-tables.ts";
import { startOutboxRelay } from "./outbox/outbox-relay.ts";
import { listParkedEvents, retryParkedEvents } from "./outbox/parked-events.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = systemClock;

describe("events with PostgreSQL", { skip: withoutPostgres, timeout: 120_000 }, () => {
  let server: PostgresServer;
  let url: string;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
    url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
    const admin = await openPostgres({ url }, { name: "main", clock, log });
    // By several at once, as instances of a service do.
    await Promise.all([createEventTables(admin), createEventTables(admin), createEventTables(admin)]);
    await admin.run(sql`CREATE TABLE noted (text text NOT NULL)`);
    await admin.close();
  });
  after(() => server.dispose());

  async function opened(t: TestContext): Promise<PostgresDatabase> {
    const database = await openPostgres({ url }, { name: "main", clock, log });
    t.after(() => database.close());
    await database.run(sql`DELETE FROM noted`);
    return database;
  }

  async function openHub(t: TestContext): Promise<EventHub> {
    const hub = new EventHub(await EventLog.open({ path: ":memory:" }, clock), { log, clock, description: "hub" });
    t.after(() => hub.close());
    return hub;
  }

  it("are handled once and leave the outbox empty, whichever instance handles them", async (t) => {
    const hub = await openHub(t);
    const done = createOccasion();
    let handled = 0;
    const instances = await Promise.all(
      [1, 2].map(async () => {
        const database = await opened(t);
        const running = createEvents({ broker: hub, database, clock, log });
        running.events.subscribe(StringValueSchema, { group: "noters" }, async ({ value }, tx) => {
          await tx.run(sql`INSERT INTO noted VALUES (${value})`);
          handled++;
          if (handled === 100) done.happen();
        });
        await running.begin();
        return { database, running };
      }),
    );
    const [{ database }] = instances as [(typeof instances)[0]];
    for (let at = 0; at < 100; at += 10) {
      await database.transaction(async (tx) => {
        for (let id = at; id < at + 10; id++)
          await tx.publish(StringValueSchema, { value: String(id) }, { key: String(id % 4) });
      });
    }
    await done.happened;
    for (const { running } of instances) await running.end();
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n, count(DISTINCT text) AS texts FROM noted`), {
      n: 100,
      texts: 100,
    });
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 0 });
  });

  it("are sent by another instance when the one that sent them loses its connection", async (t) => {
    const sentBy: string[] = [];
    let onSent = (): void => {};
    const brokerOf = (name: string): EventBroker => ({
      description: name,
      async append(records) {
        sentBy.push(...records.map(() => name));
        onSent();
        return new Set(records.map(({ id }) => id));
      },
      consume: () => ({ async pause() {}, async close() {} }),
      async check() {},
      async close() {},
    });
    const sent = (): Promise<void> =>
      new Promise((resolve) => {
        onSent = resolve;
      });
    const database = await opened(t);
    const first = createEvents({ broker: brokerOf("first"), database, clock, log });
    await first.begin();
    let next = sent();
    await first.events.publish(StringValueSchema, { value: "1" });
    await next;
    const second = createEvents({ broker: brokerOf("second"), database: await opened(t), clock, log });
    await second.begin();
    next = sent();
    await first.events.publish(StringValueSchema, { value: "2" });
    await next;
    assert.deepEqual(sentBy, ["first", "first"]);
    await first.end();
    next = sent();
    await second.events.publish(StringValueSchema, { value: "3" });
    await next;
    assert.equal(sentBy.at(-1), "second");
    await database.run(sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
    next = sent();
    await second.events.publish(StringValueSchema, { value: "4" });
    await next;
    assert.equal(sentBy.at(-1), "second");
    await second.end();
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 0 });
  });

  it("do not overtake those of a transaction that began earlier and committed while a batch was sent", async (t) => {
    const database = await opened(t);
    const publish = (tx: Transaction, value: string, key: string) => tx.publish(StringValueSchema, { value }, { key });
    const [hasPublished, mayCommit] = [createOccasion(), createOccasion()];
    const early = database.transaction(async (tx) => {
      await publish(tx, "early", "k");
      hasPublished.happen();
      await mayCommit.happened;
    });
    await hasPublished.happened;
    await database.transaction(async (tx) => {
      for (let at = 0; at < 600; at++) await publish(tx, "other", String(at));
    });
    const order: string[] = [];
    const [isSending, mayStore, isDone] = [createOccasion(), createOccasion(), createOccasion()];
    const broker = {
      description: "a stream in a test",
      check: async () => {},
      async append(records: readonly EventRecord[]) {
        isSending.happen();
        await mayStore.happened;
        order.push(
          ...records.filter(({ key }) => key === "k").map(({ payload }) => Buffer.from(payload.subarray(2)).toString()),
        );
        if (order.length === 2) isDone.happen();
        return new Set(records.map(({ id }) => id));
      },
    };
    // The next batch is read once both have committed.
    const mayRead = createOccasion();
    const reading: Database = {
      ...database,
      async all<Row extends object>(query: Sql) {
        if (query.sql.startsWith("SELECT id, length(payload)") && Number(query.values[0]) > 0) await mayRead.happened;
        return database.all<Row>(query);
      },
      transaction: (work, options) => database.transaction(work, options),
      tryLock: (name, options) => database.tryLock(name, options),
      openMigrationSession: (signal) => database.openMigrationSession(signal),
    };
    const relay = startOutboxRelay({ database: reading, broker, name: "main", clock, log });
    await isSending.happened;
    mayCommit.happen();
    await early;
    await database.transaction((tx) => publish(tx, "late", "k"));
    mayRead.happen();
    mayStore.happen();
    await isDone.happened;
    await relay.stop();
    assert.deepEqual(order, ["early", "late"]);
    assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM tercel_outbox`), { n: 0 });
  });

  it("that two instances handle at the same time take effect in one of them", async (t) => {
    const [one, other] = [await opened(t), await opened(t)];
    const entered = createOccasion();
    const go = createOccasion();
    const event = { group: "noters", id: "twice", nowMs: 1 };
    const first = handleOnce(
      one,
      event,
      async (tx) => {
        entered.happen();
        await go.happened;
        await tx.run(sql`INSERT INTO noted VALUES ('twice')`);
      },
      noFailpoint,
    );
    await entered.happened;
    const second = handleOnce(other, event, async () => assert.fail("handled twice"), noFailpoint);
    go.happen();
    await Promise.all([first, second]);
    assert.deepEqual(await one.all(sql`SELECT text FROM noted`), [{ text: "twice" }]);
    // The other way round: the first one fails, and the second does it.
    const failing = handleOnce(one, { ...event, id: "failed" }, () => Promise.reject(new Error("no")), noFailpoint);
    await assert.rejects(failing, /no/);
    await handleOnce(
      other,
      { ...event, id: "failed" },
      async (tx) => void (await tx.run(sql`DELETE FROM noted`)),
      noFailpoint,
    );
    assert.deepEqual(await one.all(sql`SELECT text FROM noted`), []);
  });

  it("are parked when the stream refuses them, and are sent when they are retried", async (t) => {
    const database = await opened(t);
    const parked = createOccasion();
    const sent = createOccasion<EventRecord>();
    let isFixed = false;
    const broker = {
      description: "a stream in a test",
      check: async () => {},
      async append(records: readonly EventRecord[]) {
        if (!isFixed) throw new EventRefused("message too large");
        for (const record of records) sent.happen(record);
        return new Set(records.map(({ id }) => id));
      },
    };
    const error = (message: string): void => {
      if (message.startsWith("event parked")) parked.happen();
    };
    const metrics = createRegistry();
    const relay = startOutboxRelay({ database, broker, name: "main", clock, log: { ...log, error }, metrics });
    t.after(() => relay.stop());
    await database.transaction((tx) => tx.publish(StringValueSchema, { value: "large" }, { key: "k" }));
    await parked.happened;
    const [event, ...others] = await listParkedEvents(database);
    assert.deepEqual(others, []);
    assert.deepEqual([event?.topic, event?.key, event?.reason], [StringValueSchema.typeName, "k", "message too large"]);
    assert.ok(Math.abs((event?.parkedAt.getTime() ?? 0) - Date.now()) < 60_000);
    isFixed = true;
    assert.equal(await retryParkedEvents(database, [event?.rowId ?? 0]), 1);
    assert.equal((await sent.happened).id, event?.id);
    assert.deepEqual(await listParkedEvents(database), []);
  });

  it("are forgotten by the inbox after two weeks", async (t) => {
    const database = await opened(t);
    const dayMs = 86_400_000;
    const nowMs = 100 * dayMs;
    const ids = async () =>
      (
        await database.all<{ event_id: string }>(
          sql`SELECT event_id FROM tercel_inbox WHERE group_name = 'old' ORDER BY event_id`,
        )
      ).map(({ event_id }) => event_id);
    for (const days of [13, 14, 15]) {
      await handleOnce(
        database,
        { group: "old", id: String(days), nowMs: nowMs - days * dayMs },
        async () => {},
        noFailpoint,
      );
    }
    await purgeInbox(database, nowMs);
    assert.deepEqual(await ids(), ["13", "14"]);
  });
});
