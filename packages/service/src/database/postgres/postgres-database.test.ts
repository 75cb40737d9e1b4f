import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, it, type TestContext } from "node:test";
import { systemClock } from "@tercel/grpc";
import { createRegistry } from "@tercel/interceptors/metrics";
import { createOccasion } from "@tercel/test-support/async";
import { createPostgresServer, freePorts, type PostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import sql, { raw } from "sql-template-tag";
import { startTransactionPooler } from "../../../test/support/transaction-pooler.ts";
import { PermanentError } from "../../permanent-error.ts";
import { describeDatabaseContract } from "../../testing/database-contract.ts";
import type { Transaction } from "../database.ts";
import { DatabaseUnavailable } from "../database-errors.ts";
import { openPostgres, type PostgresDatabase, type PostgresOptions } from "./postgres-database.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const host = { name: "main", clock: systemClock, log };

describe("PostgreSQL", { skip: withoutPostgres, timeout: 180_000 }, () => {
  let server: PostgresServer;
  let url: string;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
    url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  });
  after(() => server.dispose());

  async function opened(t: TestContext, options: Partial<PostgresOptions> = {}): Promise<PostgresDatabase> {
    const database = await openPostgres({ url, ...options }, host);
    t.after(() => database.close());
    return database;
  }

  /** A table of the test's own with one row. */
  async function withCounter(t: TestContext, name: string, options: Partial<PostgresOptions> = {}) {
    const database = await opened(t, options);
    const table = raw(name);
    await database.run(sql`CREATE TABLE ${table} (id int PRIMARY KEY, n int NOT NULL)`);
    await database.run(sql`INSERT INTO ${table} VALUES (1, 0), (2, 0)`);
    return { database, table };
  }

  const pidOf = async (tx: Transaction): Promise<number> =>
    (await tx.one<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)).pid;

  describeDatabaseContract("PostgreSQL", async () => {
    const database = await openPostgres({ url, maxConnections: 5 }, host);
    const other = await openPostgres({ url }, host);
    return {
      database,
      other,
      async close() {
        await database.close();
        await other.close();
      },
    };
  });

  it("says where it is without user and password", async (t) => {
    const database = await opened(t, { url: `postgres://postgres:hidden@127.0.0.1:${server.port}/postgres` });
    assert.equal(database.description, `postgres at 127.0.0.1:${server.port}/postgres`);
  });

  it("names the address that refuses, as something that may pass", async () => {
    const [port = 0] = await freePorts(1);
    await assert.rejects(openPostgres({ url: `postgres://u:hidden@127.0.0.1:${port}/users` }, host), (error) => {
      assert.ok(error instanceof DatabaseUnavailable);
      assert.equal(error.message, `postgres at 127.0.0.1:${port}/users: connect ECONNREFUSED 127.0.0.1:${port}`);
      return true;
    });
  });

  it("marks a wrong password, an unknown role and an unknown database as not worth a retry", async (t) => {
    const database = await opened(t);
    await database.run(sql`CREATE ROLE guarded LOGIN PASSWORD 'right'`);
    const { hba_file: file } = await database.one<{ hba_file: string }>(sql`SHOW hba_file`);
    writeFileSync(file, `host all guarded 127.0.0.1/32 scram-sha-256\n${readFileSync(file, "utf8")}`);
    await database.run(sql`SELECT pg_reload_conf()`);
    const at = (user: string, name: string) => `postgres://${user}@127.0.0.1:${server.port}/${name}`;
    const cases: [string, RegExp][] = [
      [
        at("guarded:wrong", "postgres"),
        /\/postgres: password authentication failed .*\(28P01\): check the password in the url$/,
      ],
      [at("absent", "postgres"), /role "absent" does not exist \(28000\)/],
      [at("postgres", "absent"), /database "absent" does not exist \(3D000\): create the database/],
    ];
    for (const [wrong, text] of cases) {
      await assert.rejects(openPostgres({ url: wrong }, host), (error) => {
        assert.ok(error instanceof PermanentError, String(error));
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /:wrong/);
        return true;
      });
    }
    await (await openPostgres({ url: at("guarded:right", "postgres") }, host)).close();
  });

  it("runs the work again when another transaction was preferred, and stops after `retries`", async (t) => {
    const { database, table } = await withCounter(t, "contended");
    let runs = 0;
    const contended = (retries: number) =>
      database.transaction(
        async (tx) => {
          runs++;
          await tx.one(sql`SELECT n FROM ${table} WHERE id = 1`);
          // On a connection of its own, and so outside of this transaction.
          await other.run(sql`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
          await tx.run(sql`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
        },
        { isolation: "repeatable read", retries },
      );
    const other = await opened(t);
    await assert.rejects(contended(2), { code: "40001" });
    assert.equal(runs, 3);
    runs = 0;
    await assert.rejects(contended(0), { code: "40001" });
    assert.equal(runs, 1);
  });

  it("runs one of two transactions that wait for each other again", async (t) => {
    const { database, table } = await withCounter(t, "crossed");
    const both = [createOccasion(), createOccasion()] as const;
    let runs = 0;
    const cross = (first: number, second: number, own: number) =>
      database.transaction(async (tx) => {
        runs++;
        await tx.run(sql`UPDATE ${table} SET n = n + 1 WHERE id = ${first}`);
        both[own as 0 | 1].happen();
        await both[(1 - own) as 0 | 1].happened;
        await tx.run(sql`UPDATE ${table} SET n = n + 1 WHERE id = ${second}`);
      });
    await Promise.all([cross(1, 2, 0), cross(2, 1, 1)]);
    assert.equal(runs, 3);
    assert.deepEqual(await database.all(sql`SELECT n FROM ${table}`), [{ n: 2 }, { n: 2 }]);
  });

  it("keeps its connections when a statement or the work fails", async (t) => {
    const { database, table } = await withCounter(t, "failing", { maxConnections: 1 });
    const pid = await database.transaction(pidOf);
    await assert.rejects(database.run(sql`INSERT INTO ${table} VALUES (1, 0)`), { name: "UniqueViolation" });
    await assert.rejects(database.all(sql`SELECT absent FROM ${table}`), /column "absent" does not exist/);
    const failing = database.transaction(async () => {
      throw new Error("own");
    });
    await assert.rejects(failing, /own/);
    assert.equal(await database.transaction(pidOf), pid);
  });

  it("replaces connections that the server ends, in use or not, and continues", async (t) => {
    const { database } = await withCounter(t, "ended", { maxConnections: 1 });
    const killer = await opened(t);
    const kill = (pid: number) => killer.one(sql`SELECT pg_terminate_backend(${pid}) AS done`);
    const idlePid = await database.transaction(pidOf);
    await kill(idlePid);
    const inUse = database.transaction(async (tx) => {
      const pid = await pidOf(tx);
      assert.notEqual(pid, idlePid);
      await kill(pid);
      await tx.run(sql`SELECT 1`);
    });
    await assert.rejects(inUse, DatabaseUnavailable);
    assert.notEqual(await database.transaction(pidOf), idlePid);
    await database.check();
  });

  it("survives a migration that changes what a prepared statement returns", async (t) => {
    const { database, table } = await withCounter(t, "widened", { maxConnections: 2 });
    const read = sql`SELECT * FROM ${table} WHERE id = ${1}`;
    const readBoth = () => Promise.all([database.one(read), database.one(read)]);
    await readBoth();
    await database.run(sql`ALTER TABLE ${table} ADD COLUMN added int`);
    assert.deepEqual(await readBoth(), [
      { id: 1, n: 0, added: null },
      { id: 1, n: 0, added: null },
    ]);
    await database.run(sql`ALTER TABLE ${table} DROP COLUMN added`);
    assert.deepEqual(await database.transaction((tx) => tx.one(read)), { id: 1, n: 0 });
  });

  it("notifies the holder of a lock when it is lost with its connection", async (t) => {
    const database = await opened(t);
    const lock = await database.tryLock("relay");
    assert.ok(lock);
    const lost = new Promise((resolve) => lock.lost.addEventListener("abort", resolve));
    await database.run(sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
    await lost;
    await lock.release();
    const next = await database.tryLock("relay");
    assert.ok(next);
    await next.release();
  });

  for (const isRoundRobin of [false, true]) {
    const kind = isRoundRobin ? "takes turns" : "prefers the last";
    it(`refuses to lock through a pooler in transaction mode that ${kind}, and names migration_url`, async (t) => {
      const pooler = await startTransactionPooler(server.port, { isRoundRobin });
      t.after(() => pooler.close());
      const pooled = `postgres://postgres@127.0.0.1:${pooler.port}/postgres`;
      const database = await opened(t, { url: pooled, prepare: false });
      assert.deepEqual(await database.one(sql`SELECT ${1}::int AS n`), { n: 1 });
      await assert.rejects(database.openMigrationSession(), (error) => {
        assert.ok(error instanceof PermanentError);
        assert.match(error.message, /set migration_url to the server's own address/);
        return true;
      });
      await assert.rejects(database.tryLock("relay"), /migration_url/);
      const direct = await opened(t, { url: pooled, migrationUrl: url, prepare: false });
      const lock = await direct.tryLock("pooled");
      assert.ok(lock);
      await lock.release();
    });
  }

  it("shows how its connections are used", async (t) => {
    const metrics = createRegistry();
    const database = await openPostgres({ url, maxConnections: 1 }, { ...host, metrics });
    t.after(() => database.close());
    const states = () => {
      const family = metrics.collect().find((one) => one.name === "tercel_database_connections");
      return [...(family?.series.values() ?? [])].map(({ series }) => (series as { value: number }).value);
    };
    let waiting: Promise<unknown> | undefined;
    await database.transaction(async () => {
      assert.deepEqual(states(), [1, 0, 0]);
      waiting = database.check();
      assert.deepEqual(states(), [1, 0, 1]);
    });
    await waiting;
    assert.deepEqual(states(), [0, 1, 0]);
  });
});
