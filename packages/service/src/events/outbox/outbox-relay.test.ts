import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createFakeClock, type FakeClock } from "@tercel/grpc/testing";
import { createOccasion, quiet } from "@tercel/test-support/async";
import sql, { type Sql } from "sql-template-tag";
import type { Database } from "../../database/database.ts";
import { openSqlite } from "../../database/sqlite/sqlite-database.ts";
import { createSeededRandom } from "../../testing/seeded-random.ts";
import type { EventRecord } from "../event-record.ts";
import { createEventTables } from "./event-tables.ts";
import { startOutboxRelay } from "./outbox-relay.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const textOf = ({ payload }: EventRecord): string => Buffer.from(payload.subarray(2)).toString();
const idsOf = (records: readonly EventRecord[]): Set<string> => new Set(records.map(({ id }) => id));

interface Observer {
  /** Called before the outbox is read after a row; from its beginning after 0. */
  onRead?(afterId: number): Promise<void> | void;
  onDelete?(ids: readonly number[]): Promise<void> | void;
}

function observed(database: Database, { onRead, onDelete }: Observer): Database {
  return {
    dialect: database.dialect,
    description: database.description,
    async all<Row extends object>(query: Sql) {
      if (query.sql.startsWith("SELECT id, length(payload)")) await onRead?.(Number(query.values[0]));
      return database.all<Row>(query);
    },
    async run(query) {
      if (query.sql.startsWith("DELETE FROM tercel_outbox WHERE id IN")) await onDelete?.(query.values as number[]);
      return database.run(query);
    },
    first: database.first,
    one: database.one,
    stream: database.stream,
    transaction: (work, options) => database.transaction(work, options),
    tryLock: (name, options) => database.tryLock(name, options),
    openMigrationSession: (signal) => database.openMigrationSession(signal),
  };
}

async function openOutbox(t: TestContext) {
  const clock = createFakeClock();
  const database = await openSqlite({ path: ":memory:" }, { name: "main", clock });
  t.after(() => database.close());
  await createEventTables(database);
  return {
    clock,
    database,
    publish: (count: number, keyOf: (at: number) => string = () => "") =>
      database.transaction(async (tx) => {
        for (let at = 0; at < count; at++) {
          const key = keyOf(at);
          await tx.publish(StringValueSchema, { value: String(at) }, key === "" ? {} : { key });
        }
      }),
    pending: async () => (await database.one<{ n: number }>(sql`SELECT count(*) AS n FROM tercel_outbox`)).n,
  };
}

function relayOf(
  t: TestContext,
  database: Database,
  clock: ReturnType<typeof createFakeClock>,
  append: (records: readonly EventRecord[]) => Promise<ReadonlySet<string>>,
): { stop(): Promise<void> } {
  const broker = { description: "a stream in a test", check: async () => {}, append };
  const relay = startOutboxRelay({ database, broker, name: "main", clock, log });
  const stop = async (): Promise<void> => {
    const stopped = relay.stop();
    for (let turn = 0; turn < 100; turn++) await clock.advance(1000);
    await stopped;
  };
  t.after(stop);
  return { stop };
}

/** Lets the clock go on until the outbox is empty. */
async function untilSent(
  clock: FakeClock,
  pending: () => Promise<number>,
  maxSeconds: number,
  what = "",
): Promise<void> {
  for (let second = 0; (await pending()) > 0; second++) {
    assert.ok(second < maxSeconds, `${what}${await pending()} are left`);
    await clock.advance(1000);
    await quiet();
  }
}

describe("the relay of an outbox", () => {
  it("reads the next batch while one is stored, and deletes a batch only when the stream has it", async (t) => {
    const { database, clock, publish, pending } = await openOutbox(t);
    await publish(1200);
    const steps: string[] = [];
    const hasRead = createOccasion();
    const hasAll = createOccasion();
    const watched = observed(database, {
      onRead(afterId) {
        steps.push(`read after ${afterId}`);
        if (afterId === 500) hasRead.happen();
      },
      onDelete: (ids) => void steps.push(`delete ${ids[0]} to ${ids.at(-1)}`),
    });
    let batches = 0;
    relayOf(t, watched, clock, async (records) => {
      batches++;
      steps.push(`send ${records.length}`);
      // The first batch is not stored before the second is read: without that it never is.
      if (batches === 1) await hasRead.happened;
      if (batches === 3) hasAll.happen();
      return idsOf(records);
    });
    await hasAll.happened;
    await quiet();
    assert.deepEqual(steps, [
      "read after 0",
      "send 500",
      "read after 500",
      "send 500",
      "delete 1 to 500",
      "read after 1000",
      "send 200",
      "delete 501 to 1000",
      "delete 1001 to 1200",
    ]);
    assert.equal(await pending(), 0);
  });

  it("sends nothing of the next batch where a batch failed, and begins with what failed", async (t) => {
    const { database, clock, publish, pending } = await openOutbox(t);
    await publish(600, () => "k");
    let isAway = true;
    const stored: string[] = [];
    relayOf(t, database, clock, async (records) => {
      if (isAway) {
        // The stream has the first events, and says so.
        const taken = records.slice(0, 10);
        stored.push(...taken.map(textOf));
        isAway = false;
        return idsOf(taken);
      }
      stored.push(...records.map(textOf));
      return idsOf(records);
    });
    await untilSent(clock, pending, 60);
    assert.deepEqual(
      stored,
      Array.from({ length: 600 }, (_, at) => String(at)),
    );
  });

  it("does not send a batch twice because the database could not delete it at once", async (t) => {
    const { database, clock, publish, pending } = await openOutbox(t);
    await publish(600);
    let failures = 3;
    const watched = observed(database, {
      onDelete() {
        if (failures-- > 0) throw new Error("away");
      },
    });
    const stored: string[] = [];
    relayOf(t, watched, clock, async (records) => {
      stored.push(...records.map(textOf));
      return idsOf(records);
    });
    await untilSent(clock, pending, 60);
    assert.equal(stored.length, 600);
    assert.equal(new Set(stored).size, 600);
  });

  it("keeps the order within each key and loses nothing, however stream and database fail", async (t) => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = createSeededRandom(seed);
      const { database, clock, publish, pending } = await openOutbox(t);
      const keyOf = (at: number): string => `k${(at * 7) % 13}`;
      const total = 1300 + seed;
      await publish(total, keyOf);
      const ids = new Map<string, number>();
      const rows = await database.all<{ id: number; event_id: string }>(sql`SELECT id, event_id FROM tercel_outbox`);
      for (const row of rows) ids.set(row.event_id, row.id);
      const stored = new Set<number>();
      const order = new Map<string, number[]>();
      const store = (record: EventRecord): void => {
        const at = Number(textOf(record));
        const id = ids.get(record.id) ?? assert.fail("an unknown event");
        if (!stored.has(id)) order.set(record.key, [...(order.get(record.key) ?? []), at]);
        stored.add(id);
      };
      const watched = observed(database, {
        onRead() {
          if (random() < 0.1) throw new Error("cannot read");
        },
        onDelete(deleted) {
          assert.deepEqual(
            deleted.filter((id) => !stored.has(id)),
            [],
            `seed ${seed}: deleted before it was stored`,
          );
          if (random() < 0.2) throw new Error("cannot delete");
        },
      });
      const relay = relayOf(t, watched, clock, async (records) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (random() < 0.1) throw new Error("away");
        const failed = new Set<string>();
        const taken = records.filter((record) => {
          if (random() < 0.002) failed.add(record.key);
          return !failed.has(record.key);
        });
        if (taken.length === 0) throw new Error("took nothing");
        for (const record of taken) store(record);
        // The acknowledgement may be lost.
        if (random() < 0.1) throw new Error("lost");
        return idsOf(taken);
      });
      await untilSent(clock, pending, 3000, `seed ${seed}: `);
      await relay.stop();
      for (const [key, ofKey] of order) {
        assert.deepEqual(
          ofKey,
          ofKey.toSorted((a, b) => a - b),
          `seed ${seed}: the order of ${key}`,
        );
      }
      assert.equal(stored.size, total, `seed ${seed}`);
    }
  });
});
