import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { createPostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import pg from "pg";
import { DatabaseFull, DatabaseUnavailable } from "./database-errors.ts";
import { databaseFault } from "./database-fault.ts";

/** What a promise is rejected with. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  assert.fail("it did not fail");
}

/** An error as a driver makes it. */
function driverError(fields: object): Error {
  return Object.assign(new Error("x"), fields);
}

describe("databaseFault", () => {
  it("knows the errors of pg, from a real PostgreSQL", { skip: withoutPostgres, timeout: 60_000 }, async (t) => {
    const server = await createPostgresServer();
    t.after(() => server.dispose());
    await server.start();
    const pool = new pg.Pool({ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" });
    pool.on("error", () => {});
    const [one, other] = [await pool.connect(), await pool.connect()];
    // Both end with the server, which is stopped below.
    for (const client of [one, other]) client.on("error", () => {});
    await one.query("CREATE TABLE texts (text text PRIMARY KEY, n int NOT NULL DEFAULT 0)");
    await one.query("INSERT INTO texts VALUES ('a'), ('b')");
    assert.equal(databaseFault(await failureOf(one.query("INSERT INTO texts VALUES ('a')"))), "exists");
    assert.equal(databaseFault(await failureOf(one.query("SELECT nothing"))), undefined);
    for (const client of [one, other]) await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    for (const client of [one, other]) await client.query("SELECT sum(n) FROM texts");
    await one.query("UPDATE texts SET n = 1 WHERE text = 'a'");
    await other.query("UPDATE texts SET n = 1 WHERE text = 'b'");
    await one.query("COMMIT");
    assert.equal(databaseFault(await failureOf(other.query("COMMIT"))), "conflict");
    const ended = failureOf(other.query("SELECT pg_terminate_backend(pg_backend_pid())"));
    assert.equal(databaseFault(await ended), "unavailable");
    one.release();
    other.release(true);
    await pool.end();
  });

  it("knows the errors of node:sqlite, from a real database", () => {
    const database = new DatabaseSync(":memory:");
    const errorOf = (statement: string): unknown => {
      try {
        database.exec(statement);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    database.exec("CREATE TABLE texts (text TEXT PRIMARY KEY, length INTEGER UNIQUE, CHECK (length < 9))");
    database.exec("INSERT INTO texts VALUES ('a', 1)");
    assert.equal(databaseFault(errorOf("INSERT INTO texts VALUES ('a', 2)")), "exists");
    assert.equal(databaseFault(errorOf("INSERT INTO texts VALUES ('b', 1)")), "exists");
    assert.equal(databaseFault(errorOf("INSERT INTO texts VALUES ('b', 9)")), undefined);
    database.exec("PRAGMA max_page_count = 3");
    assert.equal(databaseFault(errorOf(`INSERT INTO texts VALUES ('${"x".repeat(20_000)}', 3)`)), "full");
    database.close();
  });

  for (const [driver, fields, fault] of [
    ["postgres.js", { name: "PostgresError", severity: "ERROR", code: "23505" }, "exists"],
    ["a lost connection of PostgreSQL", { severity: "FATAL", code: "08006" }, "unavailable"],
    ["mysql2, a duplicate", { code: "ER_DUP_ENTRY", errno: 1062, sqlState: "23000" }, "exists"],
    ["mysql2, a deadlock", { code: "ER_LOCK_DEADLOCK", errno: 1213, sqlState: "40001" }, "conflict"],
    ["mysql2, a lost connection", { code: "PROTOCOL_CONNECTION_LOST", fatal: true }, "unavailable"],
    ["better-sqlite3, a duplicate", { code: "SQLITE_CONSTRAINT_PRIMARYKEY" }, "exists"],
    ["better-sqlite3, a lock", { code: "SQLITE_BUSY_SNAPSHOT" }, "unavailable"],
    ["Prisma, a duplicate", { code: "P2002", clientVersion: "6.0.0" }, "exists"],
    ["Prisma, a conflict", { code: "P2034", clientVersion: "6.0.0" }, "conflict"],
    ["a code that no driver has set", { code: "23505" }, undefined],
    ["an error of Node's", { code: "ECONNREFUSED", errno: -111, syscall: "connect" }, undefined],
    ["another constraint of better-sqlite3", { code: "SQLITE_CONSTRAINT_CHECK" }, undefined],
  ] as const) {
    it(`takes ${driver} for ${fault ?? "no fault of a database"}`, () => {
      assert.equal(databaseFault(driverError(fields)), fault);
    });
  }

  it("finds the error in what query builders put around it, and the full database in the one that is away", () => {
    const driver = driverError({ severity: "ERROR", code: "23505" });
    assert.equal(databaseFault(new Error("Failed query: insert …", { cause: driver })), "exists");
    const endless = new Error("x");
    endless.cause = endless;
    assert.equal(databaseFault(endless), undefined);
    assert.equal(databaseFault("x"), undefined);
    assert.equal(databaseFault(new DatabaseFull("sqlite", driver)), "full");
    assert.equal(databaseFault(new DatabaseUnavailable("sqlite", driver)), "unavailable");
  });
});
