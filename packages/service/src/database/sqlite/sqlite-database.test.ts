import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { createRegistry } from "@tercel/interceptors/metrics";
import { createOccasion } from "@tercel/test-support/async";
import sql from "sql-template-tag";
import { describeDatabaseContract } from "../../testing/database-contract.ts";
import { DatabaseFull } from "../database-errors.ts";
import { openSqlite, type SqliteOptions } from "./sqlite-database.ts";

const host = { name: "test", clock: systemClock };

function temporaryFile(): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "tercel-sqlite-"));
  return { path: join(folder, "data.db"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

describeDatabaseContract("SQLite in a file", async () => {
  const { path, remove } = temporaryFile();
  const database = await openSqlite({ path }, host);
  const other = await openSqlite({ path }, host);
  return {
    database,
    other,
    async close() {
      await database.close();
      await other.close();
      remove();
    },
  };
});

describeDatabaseContract("SQLite in memory", async () => {
  const database = await openSqlite({ path: ":memory:" }, host);
  return { database, close: () => database.close() };
});

describe("SQLite", () => {
  async function opened(t: TestContext, options: Partial<SqliteOptions> = {}, clock = systemClock) {
    const { path, remove } = temporaryFile();
    const metrics = createRegistry();
    const database = await openSqlite({ path, ...options }, { name: "main", clock, metrics });
    t.after(async () => {
      await database.close();
      remove();
    });
    await database.run(sql`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT`);
    return { database, path, metrics };
  }

  it("rejects a write without room with DatabaseFull, and its check until there is room again", async (t) => {
    const { path, remove } = temporaryFile();
    const database = await openSqlite({ path }, host);
    t.after(async () => {
      await database.close();
      remove();
    });
    await database.run(sql`CREATE TABLE notes (text TEXT NOT NULL) STRICT`);
    await database.check();
    // What a full disk does, without a disk that is full.
    const { page_count: pages } = await database.one<{ page_count: number }>(sql`PRAGMA page_count`);
    const limit = (count: number) => database.transaction((tx) => tx.all(sql([`PRAGMA max_page_count = ${count}`])));
    await limit(pages);
    const write = () => database.run(sql`INSERT INTO notes VALUES (${"x".repeat(100_000)})`);
    await assert.rejects(write(), DatabaseFull);
    await assert.rejects(database.check(), DatabaseFull);
    assert.deepEqual(await database.all(sql`SELECT * FROM notes`), []);
    await limit(1_000_000);
    await database.check();
    await write();
    assert.equal((await database.all(sql`SELECT name FROM sqlite_schema WHERE type = 'table'`)).length, 1);
  });

  it("reads committed data while a transaction is open", async (t) => {
    const { database } = await opened(t);
    const inside = createOccasion();
    const go = createOccasion();
    const writing = database.transaction(async (tx) => {
      await tx.run(sql`INSERT INTO notes VALUES (1, 'new')`);
      inside.happen();
      await go.happened;
    });
    await inside.happened;
    assert.deepEqual(await database.all(sql`SELECT * FROM notes`), []);
    go.happen();
    await writing;
    assert.deepEqual(await database.all(sql`SELECT * FROM notes`), [{ id: 1, text: "new" }]);
  });

  it("says how long the running transaction takes when a writer has waited too long", async (t) => {
    const clock = createFakeClock();
    const { database } = await opened(t, { busyTimeoutMs: 100 }, clock);
    const inside = createOccasion();
    const go = createOccasion();
    const holding = database.transaction(async () => {
      inside.happen();
      await go.happened;
    });
    await inside.happened;
    await clock.advance(400);
    const late = assert.rejects(database.run(sql`DELETE FROM notes`), {
      name: "DatabaseUnavailable",
      message: /timeout after 100 ms waiting for the writer.*began 500 ms ago/,
    });
    await clock.advance(100);
    await late;
    go.happen();
    await holding;
    await database.run(sql`DELETE FROM notes`);
  });

  it("waits for another process's transaction without stopping the event loop, and gives up in time", async (t) => {
    const { database, path } = await opened(t, { busyTimeoutMs: 60 });
    const blocker = new DatabaseSync(path);
    t.after(() => blocker.close());
    blocker.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    t.after(() => clearInterval(counting));
    await assert.rejects(database.run(sql`INSERT INTO notes VALUES (1, 'a')`), { errcode: 5 });
    assert.ok(turns > 0, String(turns));
    const patient = database.transaction((tx) => tx.run(sql`INSERT INTO notes VALUES (1, 'a')`));
    blocker.exec("COMMIT");
    assert.deepEqual(await patient, { changes: 1 });
  });

  it("limits the connections of streams; those that wait are served in order", async (t) => {
    const { database, metrics } = await opened(t, { maxStreams: 1 });
    await database.run(sql`INSERT INTO notes VALUES (1, 'a'), (2, 'b')`);
    const first = database.stream(sql`SELECT id FROM notes`)[Symbol.asyncIterator]();
    await first.next();
    const second = database.stream(sql`SELECT id FROM notes`)[Symbol.asyncIterator]();
    let hasBegun = false;
    const beginning = second.next().then(() => {
      hasBegun = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hasBegun, false);
    const [, waiting] = ["used", "waiting"].map((state) => connections(metrics, state));
    assert.equal(waiting, 1);
    await first.return?.();
    await beginning;
    await second.return?.();
  });

  it("counts operations by outcome", async (t) => {
    const { database, metrics } = await opened(t);
    await assert.rejects(database.run(sql`INSERT INTO absent VALUES (1)`), /no such table: absent/);
    await database.all(sql`SELECT 1`);
    const family = metrics.collect().find((one) => one.name === "tercel_database_operation_seconds");
    const labels = [...(family?.series.values() ?? [])].map(({ values }) => values.join(" "));
    assert.deepEqual(labels, ["main run ok", "main run error", "main query ok"]);
  });

  it("refuses a parameter that SQLite cannot hold, with its place and what to do", async (t) => {
    const { database } = await opened(t);
    await assert.rejects(
      database.run(sql`INSERT INTO notes VALUES (${1}, ${["a"] as unknown as string})`),
      /parameter 2 is an array; expected .* JSON\.stringify it, or spread a list with join\(\)/,
    );
  });

  it("stores booleans as 0 and 1, and times as texts that sort", async (t) => {
    const { database } = await opened(t);
    await database.run(sql`INSERT INTO notes VALUES (${true}, ${new Date(0)})`);
    assert.deepEqual(await database.all(sql`SELECT * FROM notes`), [{ id: 1, text: "1970-01-01T00:00:00.000Z" }]);
  });

  it("fails to open what is not a database, or a file whose folder does not exist", async (t) => {
    const { path, remove } = temporaryFile();
    t.after(remove);
    await assert.rejects(
      openSqlite({ path: join(path, "absent/data.db") }, host),
      /^Error: sqlite at .*absent.data\.db: unable to open database file$/,
    );
    const { writeFileSync } = await import("node:fs");
    writeFileSync(path, "this is not a database, and long enough for its header to be read as one".repeat(20));
    await assert.rejects(openSqlite({ path }, host), {
      name: "PermanentError",
      message: `sqlite at ${path}: file is not a database`,
    });
  });

  it("refuses statements and migrations after it was closed", async (t) => {
    const { database } = await opened(t);
    await database.close();
    await assert.rejects(database.run(sql`DELETE FROM notes`), /is closed/);
    await assert.rejects(
      database.transaction(async () => {}),
      /is closed/,
    );
    await assert.rejects(database.openMigrationSession(), /is closed/);
  });
});

function connections(metrics: ReturnType<typeof createRegistry>, state: string): number | undefined {
  const family = metrics.collect().find((one) => one.name === "tercel_database_connections");
  const found = [...(family?.series.values() ?? [])].find(({ values }) => values[1] === state)?.series;
  return (found as { value: number } | undefined)?.value;
}
