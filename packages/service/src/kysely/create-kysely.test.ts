import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "@tercel/grpc";
import { createPostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import { sql as kyselySql } from "kysely";
import sql from "sql-template-tag";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { openSqlite } from "../database/sqlite/sqlite-database.ts";
import { createKysely } from "./create-kysely.ts";

interface Tables {
  users: { id: number; name: string };
}

const log = { debug() {}, info() {}, warn() {}, error() {} };
const host = { name: "main", clock: systemClock, log };

function describeKysely(name: string, open: (t: TestContext) => Promise<Database>, skip: string | false = false): void {
  describe(`Kysely over ${name}`, { skip, timeout: 60_000 }, () => {
    async function opened(t: TestContext) {
      const database = await open(t);
      await database.run(sql`CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL)`);
      return { database, kysely: createKysely<Tables>(database) };
    }
    const all = (kysely: ReturnType<typeof createKysely<Tables>>) =>
      kysely.selectFrom("users").selectAll().orderBy("id").execute();

    it("reads, writes, counts and streams", async (t) => {
      const { kysely } = await opened(t);
      const added = await kysely
        .insertInto("users")
        .values([
          { id: 1, name: "ada" },
          { id: 2, name: "bob" },
        ])
        .executeTakeFirst();
      assert.equal(added.numInsertedOrUpdatedRows, 2n);
      assert.deepEqual(await all(kysely), [
        { id: 1, name: "ada" },
        { id: 2, name: "bob" },
      ]);
      const changed = kysely.updateTable("users").set({ name: "eve" }).where("id", "=", 2);
      assert.equal((await changed.executeTakeFirst()).numUpdatedRows, 1n);
      assert.deepEqual(await changed.returning("name").execute(), [{ name: "eve" }]);
      const names: string[] = [];
      for await (const row of kysely.selectFrom("users").select("name").orderBy("id").stream()) names.push(row.name);
      assert.deepEqual(names, ["ada", "eve"]);
      assert.deepEqual((await kyselySql<{ n: number }>`SELECT count(*) AS n FROM users`.execute(kysely)).rows, [
        { n: 2 },
      ]);
      assert.equal((await kysely.deleteFrom("users").executeTakeFirst()).numDeletedRows, 2n);
    });

    it("commits and rolls back its own transactions, and throws our errors", async (t) => {
      const { kysely } = await opened(t);
      await kysely
        .transaction()
        .setIsolationLevel("serializable")
        .execute(async (trx) => {
          await trx.insertInto("users").values({ id: 1, name: "ada" }).execute();
        });
      const undone = kysely.transaction().execute(async (trx) => {
        await trx.insertInto("users").values({ id: 2, name: "bob" }).execute();
        throw new Error("undone");
      });
      await assert.rejects(undone, /undone/);
      const conflicting = kysely
        .transaction()
        .execute((trx) => trx.insertInto("users").values({ id: 1, name: "eve" }).execute());
      await assert.rejects(conflicting, { name: "UniqueViolation", columns: ["id"] });
      assert.deepEqual(await all(kysely), [{ id: 1, name: "ada" }]);
      await assert.rejects(
        kysely.transaction().setAccessMode("read only").execute(all),
        /setAccessMode is not supported/,
      );
    });

    it("runs in the transaction it was created with", async (t) => {
      const { database, kysely } = await opened(t);
      const undone = database.transaction(async (tx) => {
        const inside = createKysely<Tables>(database, tx);
        await inside.insertInto("users").values({ id: 1, name: "ada" }).execute();
        assert.equal((await all(inside)).length, 1);
        await assert.rejects(inside.transaction().execute(all), /already belongs to a transaction/);
        throw new Error("undone");
      });
      await assert.rejects(undone, /undone/);
      assert.deepEqual(await all(kysely), []);
    });
  });
}

describeKysely("SQLite", async (t) => {
  const database = await openSqlite({ path: ":memory:" }, host);
  t.after(() => database.close());
  return database;
});

describeKysely(
  "PostgreSQL",
  async (t) => {
    const server = await createPostgresServer();
    t.after(() => server.dispose());
    await server.start();
    const database = await openPostgres({ url: `postgres://postgres@127.0.0.1:${server.port}/postgres` }, host);
    t.after(() => database.close());
    return database;
  },
  withoutPostgres,
);
