import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { describeIdempotencyStoreContract, type IdempotencyStoreSubject } from "@tercel/interceptors/contracts";
import { createPostgresServer, type PostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import sql from "sql-template-tag";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { openSqlite, type SqliteDatabase } from "../database/sqlite/sqlite-database.ts";
import { openDatabaseKeyStore } from "./database-key-store.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = createFakeClock();
/** Databases wait for each other by the real one. */
const host = { name: "main", clock: systemClock, log: silent };

/** Two stores over two connections to the same data, as two processes have them. */
async function subjectOf(
  one: Database & { close(): Promise<void> },
  other: Database & { close(): Promise<void> },
): Promise<IdempotencyStoreSubject> {
  const [store, second] = await Promise.all([
    openDatabaseKeyStore(one, { clock }),
    openDatabaseKeyStore(other, { clock }),
  ]);
  return {
    store,
    other: second,
    async elapse(ms) {
      await one.run(sql`UPDATE tercel_idempotency SET until_ms = until_ms - CAST(${ms} AS bigint)`);
    },
    async close() {
      await one.close();
      await other.close();
    },
  };
}

describe("idempotency keys in a SQLite database of the service", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-keys-"));
  const open = (): Promise<SqliteDatabase> => openSqlite({ path: join(folder, "data.db") }, host);
  after(() => rmSync(folder, { recursive: true }));

  describeIdempotencyStoreContract("a SQLite database", async () => subjectOf(await open(), await open()));

  it("do not wait for a transaction that is open by blocking the event loop", async () => {
    const database = await open();
    const store = await openDatabaseKeyStore(database, { clock });
    const order: string[] = [];
    const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const work = database.transaction(async (tx) => {
      await tx.run(sql`DELETE FROM tercel_idempotency WHERE key = 'none'`);
      hold();
      await mayEnd;
      order.push("transaction");
    });
    await isHeld;
    const begun = store.begin("later", "print", "me", 1000).then(({ state }) => order.push(state));
    // Reached only if the loop turns while the key waits for its turn to write.
    setImmediate(end);
    await Promise.all([work, begun]);
    assert.deepEqual(order, ["transaction", "begun"]);
    await database.close();
  });

  it("are removed when their time is over, a portion with a call at most once a minute", async () => {
    const database = await openSqlite({ path: ":memory:" }, host);
    const store = await openDatabaseKeyStore(database, { clock });
    const keys = async () => (await database.all<{ key: string }>(sql`SELECT key FROM tercel_idempotency`)).length;
    await store.begin("a", "print", "me", 1);
    await database.run(sql`UPDATE tercel_idempotency SET until_ms = 0`);
    await store.begin("b", "print", "me", 1000);
    assert.equal(await keys(), 2);
    await clock.advance(60_000);
    await store.begin("c", "print", "me", 1000);
    assert.equal(await keys(), 2);
    await database.close();
  });
});

describe("idempotency keys in a PostgreSQL of the service", { skip: withoutPostgres, timeout: 120_000 }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
  });
  after(() => server.dispose());

  describeIdempotencyStoreContract("a PostgreSQL database", async () => {
    const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
    return subjectOf(await openPostgres({ url }, host), await openPostgres({ url }, host));
  });
});
