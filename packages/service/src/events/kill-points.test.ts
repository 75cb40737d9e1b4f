// Long: it kills the process at each of more than 200 points, and lets it live again after each.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { Int32ValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createFakeClock } from "@tercel/grpc/testing";
import { quiet } from "@tercel/test-support/async";
import sql from "sql-template-tag";
import { openSqlite, type SqliteDatabase } from "../database/sqlite/sqlite-database.ts";
import { createEvents } from "./events.ts";
import type { Failpoint } from "./failpoint.ts";
import { EventHub } from "./hub/event-hub.ts";
import { EventLog } from "./hub/event-log.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const orders = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
/** Each order is noted by two groups; one of them publishes a total, which a third notes. */
const expected = orders.flatMap((id) => [`mail ${id}`, `sales ${id}`, `total ${id}`]).toSorted();

/** Throws at one point, and at every later one: from there on nothing durable happens, as after kill -9. */
function killAt(point: number): { failpoint: Failpoint; isDead: () => boolean; passed: () => number } {
  let passed = 0;
  return {
    failpoint() {
      passed++;
      if (passed >= point) throw new Error("killed");
    },
    isDead: () => passed >= point,
    passed: () => passed,
  };
}

/** One life of a process that takes orders, hosts the hub and handles the events. Returns whether all was done before its end. */
async function live(folder: string, point: number): Promise<{ isDone: boolean; passed: number }> {
  const clock = createFakeClock();
  const { failpoint, isDead, passed } = killAt(point);
  const database = await openSqlite({ path: join(folder, "data.db"), synchronous: "normal" }, { name: "main", clock });
  const logOptions = { path: join(folder, "events.db"), synchronous: "normal", failpoint } as const;
  const eventLog = await EventLog.open(logOptions, clock);
  const hub = new EventHub(eventLog, { log: silent, clock, description: "hub" });
  const running = createEvents({ broker: hub, database, clock, log: silent, failpoint });
  const note = (text: string) => sql`INSERT INTO effects VALUES (${text})`;
  running.events.subscribe(StringValueSchema, { group: "mail" }, async ({ value }, tx) => {
    await tx.run(note(`mail ${value}`));
  });
  running.events.subscribe(StringValueSchema, { group: "sales" }, async ({ value }, tx) => {
    await tx.run(note(`sales ${value}`));
    await tx.publish(Int32ValueSchema, { value: Number(value) }, { key: value });
  });
  running.events.subscribe(Int32ValueSchema, { group: "totals" }, async ({ value }, tx) => {
    await tx.run(note(`total ${value}`));
  });
  try {
    await running.begin();
    await takeOrders(database, failpoint);
    let isDone = false;
    while (!isDead() && !isDone) {
      await quiet();
      const effects = await database.one<{ n: number }>(sql`SELECT count(*) AS n FROM effects`);
      const outbox = await database.one<{ n: number }>(sql`SELECT count(*) AS n FROM tercel_outbox`);
      isDone = effects.n >= expected.length && outbox.n === 0 && eventLog.count === 0;
      if (!isDone) await clock.advance(1000);
    }
    return { isDone, passed: passed() };
  } catch (error) {
    if (!isDead()) throw error;
    return { isDone: false, passed: passed() };
  } finally {
    await running.end();
    await hub.close();
    await database.close();
  }
}

/** Takes the orders that were not taken in an earlier life. */
async function takeOrders(database: SqliteDatabase, failpoint: Failpoint): Promise<void> {
  for (const id of orders) {
    if ((await database.first(sql`SELECT id FROM orders WHERE id = ${id}`)) !== undefined) continue;
    failpoint("commit the handler", "before");
    await database.transaction(async (tx) => {
      await tx.run(sql`INSERT INTO orders VALUES (${id})`);
      await tx.publish(StringValueSchema, { value: id }, { key: Number(id) % 2 === 0 ? "even" : "odd" });
    });
    failpoint("commit the handler", "after");
  }
}

async function inNewFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-kill-"));
  try {
    const database = await openSqlite({ path: join(folder, "data.db") }, { name: "main", clock: createFakeClock() });
    await database.run(sql`CREATE TABLE orders (id TEXT PRIMARY KEY) STRICT`);
    await database.run(sql`CREATE TABLE effects (text TEXT NOT NULL) STRICT`);
    await database.close();
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function effectsIn(folder: string): Promise<string[]> {
  const database = await openSqlite({ path: join(folder, "data.db") }, { name: "main", clock: createFakeClock() });
  const rows = await database.all<{ text: string }>(sql`SELECT text FROM effects ORDER BY text`);
  await database.close();
  return rows.map(({ text }) => text);
}

it("loses no event and takes none twice, wherever the process is killed", { timeout: 240_000 }, async () => {
  const points = await inNewFolder(async (folder) => {
    const { isDone, passed } = await live(folder, Number.POSITIVE_INFINITY);
    assert.ok(isDone);
    assert.deepEqual(await effectsIn(folder), expected);
    return passed;
  });
  let kills = 0;
  for (let point = 1; point <= points; point++) {
    await inNewFolder(async (folder) => {
      // How events are batched differs a little from run to run, so the last points may not be reached.
      if (!(await live(folder, point)).isDone) kills++;
      // Some are killed a second time, by then with work of the first life before them.
      if (point % 3 === 0) await live(folder, 1 + (point % 17));
      assert.ok((await live(folder, Number.POSITIVE_INFINITY)).isDone, `point ${point}`);
      assert.deepEqual(await effectsIn(folder), expected, `point ${point}`);
    });
  }
  assert.ok(kills >= 200, `${kills} kills`);
});
