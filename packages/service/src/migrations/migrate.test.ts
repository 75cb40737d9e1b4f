import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { type LogFields, systemClock } from "@tercel/grpc";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { startProgram } from "@tercel/test-support/programs";
import { createPostgresServer, type PostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import sql from "sql-template-tag";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { openSqlite } from "../database/sqlite/sqlite-database.ts";
import { PermanentError } from "../permanent-error.ts";
import { checkMigrations, migrate, readMigrationStates, rollBackMigrations } from "./migrate.ts";

const program = join(import.meta.dirname, "../../test/migrations/migrate-program.ts");

function recordingLog() {
  const lines: [message: string, fields: LogFields | undefined][] = [];
  const note = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  return { lines, log: { debug() {}, info: note, warn: note, error: note } };
}

function folderWith(t: TestContext, files: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(tmpdir(), "tercel-migrations-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const write = (more: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(more)) writeFileSync(join(path, file), text);
  };
  write(files);
  return { path, folder: pathToFileURL(`${path}/`), write };
}

const permanent = (text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PermanentError, String(error));
  assert.match(error.message, text);
  return true;
};

const users = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);\n-- down\nDROP TABLE users;\n";
const strictUsers =
  "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL) STRICT;\n-- down\nDROP TABLE users;\n";

/** What holds for every database. `fresh` returns an empty one, and its address for other processes. */
function describeMigrations(name: string, fresh: (t: TestContext) => Promise<{ database: Database; where: string }>) {
  const usersFiles = { "0001_users.postgres.sql": users, "0001_users.sqlite.sql": strictUsers };

  describe(`migrations of ${name}`, () => {
    it("are applied in order, once, and listed with their times", async (t) => {
      const { database } = await fresh(t);
      const { log } = recordingLog();
      const { folder, write } = folderWith(t, { ...usersFiles, "0010_more.sql": "INSERT INTO users VALUES (1, 'a');" });
      assert.deepEqual(await migrate(database, { folder, log }), ["0001_users", "0010_more"]);
      assert.deepEqual(await migrate(database, { folder, log }), []);
      write({ "0011_last.sql": "INSERT INTO users VALUES (2, 'b');", "README.md": "not one" });
      const states = await readMigrationStates(database, folder);
      assert.deepEqual(
        states.map(({ name: of, appliedAt }) => [of, appliedAt?.length]),
        [
          ["0001_users", 24],
          ["0010_more", 24],
          ["0011_last", undefined],
        ],
      );
      assert.deepEqual(await migrate(database, { folder, log }), ["0011_last"]);
      assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM users`), { n: 2 });
    });

    it("that fail leave nothing of themselves, keep those before, and say why", async (t) => {
      const { database } = await fresh(t);
      const { log } = recordingLog();
      const { folder } = folderWith(t, {
        ...usersFiles,
        "0002_broken.sql": "INSERT INTO users VALUES (1, 'a');\nINSERT INTO absent VALUES (1);\n",
      });
      const text = /^migration 0002_broken\.sql: .*absent.*; it was rolled back$/;
      await assert.rejects(migrate(database, { folder, log }), permanent(text));
      assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM users`), { n: 0 });
      assert.deepEqual(await database.all(sql`SELECT name FROM tercel_migrations`), [{ name: "0001_users" }]);
    });

    it("are refused after an edit, also where they are only checked", async (t) => {
      const { database } = await fresh(t);
      const { log } = recordingLog();
      const { folder, write } = folderWith(t, usersFiles);
      await migrate(database, { folder, log });
      await checkMigrations(database, { folder, log });
      write({ "0001_users.postgres.sql": `${users} `, "0001_users.sqlite.sql": `${strictUsers} ` });
      await assert.rejects(migrate(database, { folder, log }), permanent(/edited after it was applied/));
      await assert.rejects(
        checkMigrations(database, { folder, log }),
        permanent(/sha256 is [0-9a-f]{64}, applied was [0-9a-f]{64}/),
      );
    });

    it("that are pending end a start that only checks, which changes nothing", async (t) => {
      const { database } = await fresh(t);
      const { log } = recordingLog();
      const { folder } = folderWith(t, { ...usersFiles, "0002_more.sql": "SELECT 1;" });
      const text = /^2 migrations are pending at .* \(0001_users, 0002_more\): run node main\.js --migrate$/;
      await assert.rejects(checkMigrations(database, { folder, log }), permanent(text));
      await assert.rejects(database.all(sql`SELECT * FROM tercel_migrations`), /tercel_migrations/);
    });

    it("of a later release are left alone, and reported", async (t) => {
      const { database } = await fresh(t);
      const { log, lines } = recordingLog();
      const later = folderWith(t, { ...usersFiles, "0002_later.sql": "INSERT INTO users VALUES (1, 'a');" });
      await migrate(database, { folder: later.folder, log });
      const { folder } = folderWith(t, usersFiles);
      await checkMigrations(database, { folder, log });
      assert.deepEqual(lines.at(-1), ["database has migrations of a later release", { migrations: ["0002_later"] }]);
    });

    it("are undone by their way back, all or none of them", async (t) => {
      const { database } = await fresh(t);
      const { log } = recordingLog();
      const { folder } = folderWith(t, {
        ...usersFiles,
        "0002_one.sql": "INSERT INTO users VALUES (1, 'a');\n-- down\nDELETE FROM users WHERE id = 1;",
        "0003_two.sql": "INSERT INTO users VALUES (2, 'b');",
      });
      await migrate(database, { folder, log });
      await assert.rejects(
        rollBackMigrations(database, { folder, log }, 2),
        permanent(/cannot undo migration 0003_two: it has no "-- down"/),
      );
      await database.run(sql`DELETE FROM tercel_migrations WHERE version = 3`);
      assert.deepEqual(await rollBackMigrations(database, { folder, log }, 1), ["0002_one"]);
      assert.deepEqual(await database.all(sql`SELECT id FROM users`), [{ id: 2 }]);
      assert.deepEqual(await rollBackMigrations(database, { folder, log }, 5), ["0001_users"]);
      await assert.rejects(database.all(sql`SELECT id FROM users`), /users/);
    });

    it("of ten processes that start at once are applied once", async (t) => {
      const { database, where } = await fresh(t);
      if (where === "") return;
      const { path } = folderWith(t, {
        ...usersFiles,
        "0002_a.sql": "INSERT INTO users VALUES (1, 'a');",
        "0003_b.sql": "INSERT INTO users VALUES (2, 'b');",
      });
      const programs = Array.from({ length: 10 }, () => startProgram(t, bundleProgram(program), [where, path]));
      const applied = await Promise.all(programs.map((one) => one.line()));
      assert.deepEqual(await Promise.all(programs.map((one) => one.ended)), Array(10).fill([0, null]));
      assert.deepEqual(
        applied.filter((names) => names !== "[]"),
        ['["0001_users","0002_a","0003_b"]'],
      );
      assert.deepEqual(await database.one(sql`SELECT count(*) AS n FROM users`), { n: 2 });
    });
  });
}

describeMigrations("SQLite", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-migrated-"));
  const path = join(folder, "data.db");
  const database = await openSqlite({ path }, { name: "main", clock: systemClock });
  t.after(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { database, where: path };
});

describe("migrations of SQLite", () => {
  async function inMemory(t: TestContext): Promise<Database> {
    const database = await openSqlite({ path: ":memory:" }, { name: "main", clock: systemClock });
    t.after(() => database.close());
    return database;
  }

  it("are applied in memory as well", async (t) => {
    const database = await inMemory(t);
    const { folder } = folderWith(t, { "0001_users.sql": strictUsers });
    assert.deepEqual(await migrate(database, { folder, log: recordingLog().log }), ["0001_users"]);
    await database.run(sql`INSERT INTO users VALUES (1, 'a')`);
  });

  it("advise STRICT for tables that accept anything", async (t) => {
    const database = await inMemory(t);
    const { log, lines } = recordingLog();
    const { folder } = folderWith(t, { "0001_a.sql": "CREATE TABLE a (x);", "0002_users.sql": strictUsers });
    await migrate(database, { folder, log });
    assert.deepEqual(lines.at(-1), [
      "tables are not STRICT, so they accept values of any type; add STRICT to CREATE TABLE",
      { tables: ["a"] },
    ]);
  });

  it("run outside of a transaction where the file says so", async (t) => {
    const database = await inMemory(t);
    const { log } = recordingLog();
    const { folder } = folderWith(t, { "0001_compact.sql": "-- tercel: no-transaction\nVACUUM;" });
    assert.deepEqual(await migrate(database, { folder, log }), ["0001_compact"]);
    const wrong = folderWith(t, {
      "0001_compact.sql": "-- tercel: no-transaction\nVACUUM;",
      "0002_again.sql": "VACUUM;",
    });
    await assert.rejects(
      migrate(database, { folder: wrong.folder, log }),
      permanent(/cannot VACUUM from within a transaction/),
    );
  });

  it("have names with numbers that differ", async (t) => {
    const database = await inMemory(t);
    const { log } = recordingLog();
    const misnamed = folderWith(t, { "users.sql": strictUsers });
    await assert.rejects(
      migrate(database, { folder: misnamed.folder, log }),
      permanent(/users\.sql: invalid migration name/),
    );
    const equal = folderWith(t, { "0001_a.sql": "SELECT 1;", "0001_b.sql": "SELECT 1;" });
    await assert.rejects(
      migrate(database, { folder: equal.folder, log }),
      permanent(/duplicate number of 0001_[ab]\.sql and 0001_[ab]\.sql/),
    );
    const absent = new URL("absent/", equal.folder);
    await assert.rejects(migrate(database, { folder: absent, log }), permanent(/cannot read .*ENOENT/));
    const bare = new URL(equal.folder.href.slice(0, -1));
    await assert.rejects(migrate(database, { folder: bare, log }), permanent(/must end with a slash/));
  });
});

describe("with a server", { skip: withoutPostgres, timeout: 180_000 }, () => {
  let server: PostgresServer;
  let databases = 0;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
  });
  after(() => server.dispose());

  async function fresh(t: TestContext) {
    const log = recordingLog().log;
    const host = { name: "main", clock: systemClock, log };
    const at = (name: string) => `postgres://postgres@127.0.0.1:${server.port}/${name}`;
    const name = `migrated${++databases}`;
    const admin = await openPostgres({ url: at("postgres") }, host);
    await admin.run(sql([`CREATE DATABASE ${name}`]));
    await admin.close();
    const database = await openPostgres({ url: at(name) }, host);
    t.after(() => database.close());
    return { database, where: at(name) };
  }

  describeMigrations("PostgreSQL", fresh);

  it("shows the line of a mistake", async (t) => {
    const { database } = await fresh(t);
    const { folder } = folderWith(t, { "0001_users.sql": "SELECT 1;\nCREATE TABEL users (id int);\n" });
    const text = /syntax error at or near "TABEL" at "CREATE TABEL users \(id int\);"; it was rolled back/;
    await assert.rejects(migrate(database, { folder, log: recordingLog().log }), permanent(text));
  });

  it("builds indexes next to writers, statement by statement, while another process waits for its turn", async (t) => {
    const { database } = await fresh(t);
    const { log } = recordingLog();
    const { folder } = folderWith(t, {
      "0001_users.sql": users,
      "0002_indexes.sql":
        "-- tercel: no-transaction\nCREATE INDEX CONCURRENTLY users_a ON users (email);\nCREATE INDEX CONCURRENTLY users_b ON users (id);\n",
    });
    const both = await Promise.all([migrate(database, { folder, log }), migrate(database, { folder, log })]);
    assert.deepEqual(both.flat().sort(), ["0001_users", "0002_indexes"]);
  });

  it("refuses an invalid index until it is dropped", async (t) => {
    const { database } = await fresh(t);
    const { log } = recordingLog();
    const { folder } = folderWith(t, {
      "0001_users.sql": users,
      "0002_rows.sql": "INSERT INTO users VALUES (1, 'a'), (2, 'a');",
      "0003_index.sql":
        "-- tercel: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email ON users (email);\n",
    });
    await assert.rejects(migrate(database, { folder, log }), permanent(/could not create unique index "users_email"/));
    await assert.rejects(
      migrate(database, { folder, log }),
      permanent(
        /0003_index\.sql: index users_email is invalid because .* run DROP INDEX users_email, and migrate again/,
      ),
    );
    await database.run(sql`DELETE FROM users WHERE id = 2`);
    await database.run(sql`DROP INDEX users_email`);
    assert.deepEqual(await migrate(database, { folder, log }), ["0003_index"]);
  });
});
