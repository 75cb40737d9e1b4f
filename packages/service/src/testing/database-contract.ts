import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import sql, { join } from "sql-template-tag";
import type { Database, Transaction } from "../database/database.ts";
import { RowCountError, UniqueViolation } from "../database/database-errors.ts";

/** The database under test. */
export interface DatabaseSubject {
  readonly database: Database;
  /** Another object for the same data; undefined if the data belongs to one object, as in memory. */
  readonly other?: Database;
  close(): Promise<void>;
}

interface Account {
  id: number;
  owner: string;
  balance: number;
}

const accountsOf: Readonly<Record<Database["dialect"], string>> = {
  sqlite: `CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, bank TEXT NOT NULL DEFAULT 'a', balance INTEGER NOT NULL DEFAULT 0,
    data BLOB, note TEXT, UNIQUE (bank, owner)) STRICT`,
  postgres: `CREATE TABLE accounts (id bigint PRIMARY KEY, owner text NOT NULL, bank text NOT NULL DEFAULT 'a', balance bigint NOT NULL DEFAULT 0,
    data bytea, note text, UNIQUE (bank, owner))`,
};

/** Defines the contract tests of the port `Database` for an adapter. `open` is called once and must open a database without tables. */
export function describeDatabaseContract(name: string, open: () => Promise<DatabaseSubject>): void {
  describe(`${name} keeps the contract of databases`, { timeout: 120_000 }, () => {
    let subject: DatabaseSubject;
    let database: Database;

    before(async () => {
      subject = await open();
      database = subject.database;
      const session = await database.openMigrationSession();
      await session.execute(accountsOf[database.dialect]);
      await session.close();
    });
    after(() => subject.close());
    beforeEach(async () => {
      await database.run(sql`DELETE FROM accounts`);
    });

    const insert = (on: Database | Transaction, id: number, owner: string) =>
      on.run(sql`INSERT INTO accounts (id, owner) VALUES (${id}, ${owner})`);
    const owners = async (on: Database | Transaction = database): Promise<string[]> =>
      (await on.all<Account>(sql`SELECT owner FROM accounts ORDER BY id`)).map(({ owner }) => owner);

    it("returns all rows, the first, and the only one", async () => {
      await insert(database, 1, "ada");
      await insert(database, 2, "bob");
      assert.deepEqual(await database.all(sql`SELECT id, owner FROM accounts ORDER BY id`), [
        { id: 1, owner: "ada" },
        { id: 2, owner: "bob" },
      ]);
      assert.deepEqual(await database.first(sql`SELECT id FROM accounts ORDER BY id DESC`), { id: 2 });
      assert.equal(await database.first(sql`SELECT id FROM accounts WHERE id = ${3}`), undefined);
      assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM accounts`), { n: 2 });
    });

    it("rejects when there is not exactly one row, and says how many there are", async () => {
      const none = sql`SELECT id FROM accounts`;
      await assert.rejects(database.one(none), new RowCountError(0));
      await insert(database, 1, "ada");
      await insert(database, 2, "bob");
      await assert.rejects(database.one(none), { name: "RowCountError", rows: 2 });
    });

    it("counts the rows that a statement changes, and returns the rows of RETURNING", async () => {
      await insert(database, 1, "ada");
      await insert(database, 2, "bob");
      assert.deepEqual(await database.run(sql`UPDATE accounts SET balance = ${5}`), { changes: 2 });
      assert.deepEqual(await database.run(sql`DELETE FROM accounts WHERE id = ${9}`), { changes: 0 });
      const added = sql`INSERT INTO accounts (id, owner) VALUES (${3}, ${"eve"}) RETURNING id, owner`;
      assert.deepEqual(await database.all(added), [{ id: 3, owner: "eve" }]);
      const moved = sql`WITH chosen AS (SELECT id FROM accounts WHERE owner = ${"eve"})
        UPDATE accounts SET balance = ${7} WHERE id IN (SELECT id FROM chosen) RETURNING balance`;
      assert.deepEqual(await database.all(moved), [{ balance: 7 }]);
      assert.deepEqual(await database.all(moved), [{ balance: 7 }]);
    });

    it("never takes a parameter for SQL, and nests fragments", async () => {
      const hostile = "'); DROP TABLE accounts; --";
      await insert(database, 1, hostile);
      await insert(database, 2, "bob");
      const among = sql`id IN (${join([1, 2, 3])})`;
      assert.deepEqual(await database.all(sql`SELECT id FROM accounts WHERE owner = ${hostile} AND ${among}`), [
        { id: 1 },
      ]);
      assert.deepEqual(await owners(), [hostile, "bob"]);
    });

    it("returns what was put in: texts, bytes, null, and integers beyond what a number holds", async () => {
      const large = 9_007_199_254_740_993n;
      const bytes = new Uint8Array([0, 255, 10]);
      const text = "größer 🦅\n'quoted'";
      await database.run(sql`INSERT INTO accounts (id, owner, balance, data, note)
        VALUES (${large}, ${text}, ${Number.MAX_SAFE_INTEGER}, ${bytes}, ${undefined})`);
      const stored = { id: large, owner: text, balance: Number.MAX_SAFE_INTEGER, data: bytes, note: null };
      const read = sql`SELECT id, owner, balance, data, note FROM accounts`;
      assert.deepEqual(await database.all(read), [stored]);
      for await (const row of database.stream(read)) assert.deepEqual(row, stored);
      const again = sql`UPDATE accounts SET note = ${"x"} RETURNING id`;
      assert.deepEqual(await database.all(again), [{ id: large }]);
    });

    it("streams every row, and can be left at any", async () => {
      const values = Array.from({ length: 1000 }, (_, id) => sql`(${id}, ${`owner ${id}`})`);
      await database.run(sql`INSERT INTO accounts (id, owner) VALUES ${join(values)}`);
      const query = sql`SELECT id FROM accounts WHERE id >= ${0} ORDER BY id`;
      const ids: number[] = [];
      for await (const { id } of database.stream<Account>(query)) ids.push(id);
      assert.deepEqual(ids, [...Array(1000).keys()]);
      // More iterations than connections, so that each must be returned.
      for (let at = 0; at < 20; at++) {
        for await (const row of database.stream<Account>(query)) {
          assert.equal(row.id, 0);
          break;
        }
      }
      await database.transaction(async (tx) => {
        const inside: number[] = [];
        for await (const { id } of tx.stream<Account>(query)) inside.push(id);
        assert.equal(inside.length, 1000);
      });
    });

    it("shows a stream the data of its start, and other queries what was written since", async () => {
      await insert(database, 1, "ada");
      await insert(database, 2, "bob");
      const seen: string[] = [];
      for await (const { owner } of database.stream<Account>(sql`SELECT owner FROM accounts ORDER BY id`)) {
        if (seen.length === 0) await insert(database, 3, "eve");
        assert.deepEqual(await owners(), ["ada", "bob", "eve"]);
        seen.push(owner);
      }
      assert.deepEqual(seen, ["ada", "bob"]);
    });

    it("commits what resolves, with its result, and nothing of what rejects", async () => {
      assert.equal(
        await database.transaction(async (tx) => {
          await insert(tx, 1, "ada");
          return "done";
        }),
        "done",
      );
      const failing = database.transaction(async (tx) => {
        await insert(tx, 2, "bob");
        assert.deepEqual(await owners(tx), ["ada", "bob"]);
        throw new Error("changed my mind");
      });
      await assert.rejects(failing, /changed my mind/);
      assert.deepEqual(await owners(), ["ada"]);
    });

    it("does not mix transactions that run at the same time", async () => {
      await insert(database, 1, "ada");
      const deposit = () =>
        database.transaction(
          async (tx) => {
            const { balance } = await tx.one<Account>(sql`SELECT balance FROM accounts WHERE id = ${1}`);
            await new Promise((resolve) => setImmediate(resolve));
            await tx.run(sql`UPDATE accounts SET balance = ${balance + 1} WHERE id = ${1}`);
          },
          { isolation: "serializable", retries: 50 },
        );
      await Promise.all(Array.from({ length: 8 }, deposit));
      assert.deepEqual(await database.one(sql`SELECT balance FROM accounts`), { balance: 8 });
    });

    it("runs statements of a transaction that are not awaited one by one", async () => {
      await database.transaction(async (tx) => {
        await Promise.all([insert(tx, 1, "ada"), insert(tx, 2, "bob"), owners(tx)]);
      });
      assert.deepEqual(await owners(), ["ada", "bob"]);
    });

    it("rolls back when a statement failed, even if the work went on, and runs nothing after it", async () => {
      await insert(database, 1, "ada");
      const swallowing = database.transaction(async (tx) => {
        await insert(tx, 2, "bob");
        await insert(tx, 3, "ada").catch(() => {});
        await assert.rejects(insert(tx, 4, "eve"), /aborted by an earlier failed statement/);
        return "looks fine";
      });
      await assert.rejects(swallowing, UniqueViolation);
      assert.deepEqual(await owners(), ["ada"]);
    });

    it("refuses statements after the end of a transaction, and the database's own inside of it", async () => {
      let kept: Transaction | undefined;
      await database.transaction(async (tx) => {
        kept = tx;
        await assert.rejects(insert(database, 1, "ada"), /cannot call run of the database inside transaction\(\)/);
        await assert.rejects(owners(), /call it on tx/);
        await assert.rejects(
          database.transaction(async () => {}),
          /inside transaction/,
        );
      });
      await assert.rejects(insert(kept as Transaction, 1, "ada"), /transaction has ended/);
      await insert(database, 1, "ada");
    });

    it("names table and columns of a key that is there already, and not its values", async () => {
      await insert(database, 1, "ada");
      const again = insert(database, 2, "ada");
      await assert.rejects(again, (error) => {
        assert.ok(error instanceof UniqueViolation);
        assert.deepEqual([error.table, error.columns], ["accounts", ["bank", "owner"]]);
        assert.equal(
          error.message,
          "unique violation: a row with the same accounts.bank, accounts.owner already exists",
        );
        return true;
      });
      await assert.rejects(insert(database, 1, "bob"), { name: "UniqueViolation", columns: ["id"] });
      assert.deepEqual(await owners(), ["ada"]);
    });

    it("refuses unknown options of a transaction", async () => {
      const work = async () => {};
      await assert.rejects(database.transaction(work, { retires: 1 } as object), /did you mean "retries"/);
      await assert.rejects(database.transaction(work, { retries: -1 }), RangeError);
      await assert.rejects(database.transaction(work, { isolation: "chaos" as "serializable" }), /expected one of/);
    });

    it("gives a lock to one holder at a time", async () => {
      const held = await database.tryLock("contract");
      assert.ok(held);
      assert.equal(held.lost.aborted, false);
      const contender = subject.other ?? database;
      assert.equal(await contender.tryLock("contract"), undefined);
      const another = await contender.tryLock("another");
      assert.ok(another);
      await another.release();
      await held.release();
      const next = await contender.tryLock("contract");
      assert.ok(next);
      await next.release();
      await next.release();
    });

    it("notifies after the commit, and not at all without one", async () => {
      let notified = 0;
      let wake = (): void => {};
      const lock = await database.tryLock("listening", {
        channel: "contract",
        onNotify() {
          notified++;
          wake();
        },
      });
      assert.ok(lock);
      const undone = database.transaction(async (tx) => {
        await tx.notify("contract");
        throw new Error("undone");
      });
      await assert.rejects(undone, /undone/);
      assert.equal(notified, 0);
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await database.transaction((tx) => tx.notify("contract"));
      await woken;
      assert.equal(notified, 1);
      await lock.release();
    });
  });
}
