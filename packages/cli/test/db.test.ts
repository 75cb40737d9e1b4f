// tercel db, on SQLite and on a real PostgreSQL, over the kit that the project has installed.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createPostgresServer, freePorts, withoutPostgres } from "@tercel/test-support/servers";
import { nextName } from "../src/db/new-migration.ts";
import { psqlCommand } from "../src/db/open-shell.ts";
import { seedFiles } from "../src/db/seed-database.ts";
import { folderWithPackages, temporaryFolder, writeFiles } from "./new-projects.ts";
import { type CliRun, runCli } from "./run-cli.ts";
import { runOnTerminal } from "./run-on-terminal.ts";

const users =
  "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE) STRICT;\n-- down\nDROP TABLE users;\n";
const usersOfPostgres =
  "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);\n-- down\nDROP TABLE users;\n";
const sqliteConfig =
  "service:\n  name: user-service\ndatabase:\n  providers:\n    sqlite:\n      path: data/users.db\n";

function createService(t: TestContext, config: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = folderWithPackages(t);
  const migrations = {
    "migrations/0001_users.sqlite.sql": users,
    "migrations/0001_users.postgres.sql": usersOfPostgres,
    "migrations/0002_name.sql":
      "ALTER TABLE users ADD COLUMN name TEXT;\n-- down\nALTER TABLE users DROP COLUMN name;\n",
  };
  writeFiles(folder, new Map(Object.entries({ "config.yaml": config, ...migrations, ...files })));
  return folder;
}

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

interface Migration {
  readonly name: string;
  readonly appliedAt: string | null;
}

async function migrationsOf(cwd: string, env: Record<string, string>): Promise<readonly [string, boolean][]> {
  const { stdout } = succeeded(await runCli(["db", "status", "-o", "json"], { cwd, env }));
  const { migrations } = JSON.parse(stdout) as { migrations: Migration[] };
  return migrations.map(({ name, appliedAt }) => [name, appliedAt !== null] as const);
}

/** What holds for both databases. */
async function migratesUndoesAndSeeds(cwd: string, where: RegExp, env: Record<string, string>): Promise<void> {
  const run = (...args: string[]): Promise<CliRun> => runCli(["db", ...args], { cwd, env });
  assert.deepEqual(await migrationsOf(cwd, env), [
    ["0001_users", false],
    ["0002_name", false],
  ]);
  const check = await run("status", "--check");
  assert.equal(check.exitCode, 3);
  assert.match(check.stderr, /^error: 2 migrations are pending at .+\nhint: tercel db migrate applies them$/m);
  assert.equal(succeeded(await run("migrate", "--dry-run")).stdout, "0001_users\n0002_name\n");
  const early = await run("seed");
  assert.equal(early.exitCode, 3);

  const applied = succeeded(await run("migrate"));
  assert.equal(applied.stdout, "");
  assert.match(
    applied.stderr,
    /migration applied: 0001_users\n.*migration applied: 0002_name\n2 migrations applied: /s,
  );
  assert.match(applied.stderr, where);
  assert.match(succeeded(await run("migrate")).stderr, /^nothing to apply: .* is up to date\n$/);
  assert.equal((await run("status", "--check")).exitCode, 0);

  assert.match(succeeded(await run("seed")).stderr, /^ {2}ran seeds\/a\.sql\n {2}ran seeds\/b\..*sql\n2 files run at /);
  succeeded(await run("seed"));
  writeFileSync(
    join(cwd, "seeds/c.sql"),
    "INSERT INTO users (id, email) VALUES (9, 'z');\nINSERT INTO absent VALUES (1);\n",
  );
  const broken = await run("seed");
  assert.equal(broken.exitCode, 4);
  assert.match(broken.stderr, /^error: seeds\/c\.sql: .*absent.*; the file was rolled back$/m);
  rmSync(join(cwd, "seeds/c.sql"));

  const refused = await run("rollback");
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /^error: not confirmed: undo 0002_name at .*\nhint: add --yes$/m);
  assert.match(succeeded(await run("rollback", "--yes")).stderr, /migration undone: 0002_name\n1 migration undone at /);
  assert.deepEqual(await migrationsOf(cwd, env), [
    ["0001_users", true],
    ["0002_name", false],
  ]);
  succeeded(await run("migrate"));
  assert.match(
    succeeded(await run("rollback", "--steps", "5", "-y")).stderr,
    /migration undone: 0002_name\n.*migration undone: 0001_users\n2 migrations undone/s,
  );
  assert.match(succeeded(await run("rollback", "--yes")).stderr, /^nothing to undo: /);
}

const seeds = {
  "seeds/a.sql": "INSERT INTO users (id, email) VALUES (1, 'ada@example.com') ON CONFLICT DO NOTHING;\n",
  "seeds/b.sqlite.sql": "INSERT OR IGNORE INTO users (id, email) VALUES (2, 'b');\n",
  "seeds/b.postgres.sql": "INSERT INTO users (id, email) VALUES (2, 'b') ON CONFLICT DO NOTHING;\nSELECT now();\n",
};

describe("tercel db on SQLite", () => {
  it("lists, applies, fills and undoes", async (t) => {
    const cwd = createService(t, sqliteConfig, seeds);
    await migratesUndoesAndSeeds(cwd, /sqlite at data\/users\.db is up to date/, {});
  });

  it("makes no file to look at a database that is not there yet", async (t) => {
    const cwd = createService(t, sqliteConfig);
    const { stdout, stderr } = succeeded(await runCli(["db", "status"], { cwd }));
    assert.equal(stdout, "MIGRATION   APPLIED\n0001_users  pending\n0002_name   pending\n");
    assert.equal(stderr, "sqlite at data/users.db: 0 applied, 2 pending\n");
    succeeded(await runCli(["db", "migrate", "--dry-run"], { cwd }));
    assert.equal(existsSync(join(cwd, "data")), false);
    succeeded(await runCli(["db", "migrate"], { cwd }));
    assert.ok(existsSync(join(cwd, "data/users.db")));
  });

  it("refuses a migration that was edited after it was applied, and keeps those before one that fails", async (t) => {
    const cwd = createService(t, sqliteConfig, { "migrations/0003_broken.sql": "CREATE TABL x;\n" });
    const failed = await runCli(["db", "migrate"], { cwd });
    assert.equal(failed.exitCode, 4);
    assert.match(failed.stderr, /^error: migration 0003_broken\.sql: .*syntax error.*; it was rolled back$/m);
    assert.deepEqual(await migrationsOf(cwd, {}), [
      ["0001_users", true],
      ["0002_name", true],
      ["0003_broken", false],
    ]);
    writeFileSync(join(cwd, "migrations/0002_name.sql"), "SELECT 1;\n");
    const edited = await runCli(["db", "status", "-o", "json"], { cwd });
    assert.equal(edited.exitCode, 4);
    assert.match(JSON.parse(edited.stderr).error.message, /^migration 0002_name\.sql was edited after it was applied/);
  });

  it("asks before it undoes, on a terminal", async (t) => {
    const cwd = createService(t, sqliteConfig);
    succeeded(await runCli(["db", "migrate"], { cwd }));
    for (const [key, exitCode, isApplied] of [
      ["\r", 1, true],
      ["\u0003", 130, true],
      ["y", 0, false],
    ] as const) {
      const run = await runOnTerminal(["db", "rollback"], cwd, { "Undo 0002_name at sqlite": [key] });
      assert.equal(run.exitCode, exitCode, run.shown);
      assert.deepEqual((await migrationsOf(cwd, {}))[1], ["0002_name", isApplied]);
    }
  });

  it("asks before it puts sample data into a database of production", async (t) => {
    const insecure = `${sqliteConfig}`.replace("name: user-service", "name: user-service\n  insecure: true");
    const cwd = createService(t, insecure, seeds);
    const env = { TERCEL_ENV: "production" };
    succeeded(await runCli(["db", "migrate"], { cwd, env }));
    const refused = await runCli(["db", "seed"], { cwd, env });
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /^error: not confirmed: write sample data to sqlite at data\/users\.db$/m);
    succeeded(await runCli(["db", "seed", "--yes"], { cwd, env }));
  });

  it("opens the database that --database names, of the environment that --env names", async (t) => {
    const two =
      "database:\n  providers:\n    main:\n      type: sqlite\n      path: a.db\n    reports:\n      type: sqlite\n      path: b.db\n";
    const cwd = createService(t, two, {
      "config/test.yaml": "database:\n  providers:\n    reports:\n      path: c.db\n",
    });
    const several = await runCli(["db", "status"], { cwd });
    assert.deepEqual(
      [several.exitCode, several.stderr],
      [
        2,
        "error: several databases are configured: main, reports\nhint: choose one with --database, or set database.default\n",
      ],
    );
    const args = ["db", "migrate", "--env", "test", "--database"];
    assert.match(
      (await runCli([...args, "report"], { cwd })).stderr,
      /^error: unknown database "report": did you mean reports\?$/m,
    );
    succeeded(await runCli([...args, "reports"], { cwd }));
    assert.deepEqual(
      ["a.db", "b.db", "c.db"].map((file) => existsSync(join(cwd, file))),
      [false, false, true],
    );
  });

  it("says what is missing: a database, one that stays, a folder, the kit", async (t) => {
    const first = async (args: readonly string[], cwd: string): Promise<string> =>
      (await runCli(["db", ...args], { cwd })).stderr.split("\n")[0] ?? "";
    const none = createService(t, "service:\n  name: user-service\n");
    assert.equal(await first(["status"], none), "error: no database is configured");
    const memory = createService(t, sqliteConfig.replace("data/users.db", '":memory:"'));
    assert.match(await first(["migrate"], memory), /^error: cannot open database\.providers\.sqlite: it is in memory/);
    assert.equal(
      await first(["status", "--migrations", "absent"], memory),
      "error: migrations folder absent does not exist",
    );
    assert.equal(await first(["seed"], memory), "error: seeds folder seeds does not exist");
    assert.match(await first(["rollback", "--steps", "0"], memory), /^error: invalid --steps "0": /);
    const bare = temporaryFolder(t);
    writeFiles(
      bare,
      new Map([
        ["config.yaml", sqliteConfig],
        ["migrations/0001_users.sql", users],
      ]),
    );
    assert.match(
      await first(["status"], bare),
      /^error: @tercel\/service is not installed here; it opens the database/,
    );
  });
});

describe("tercel db on PostgreSQL", { skip: withoutPostgres }, () => {
  it("lists, applies, fills and undoes, with the address from .env unless the environment has it", async (t) => {
    const postgres = await createPostgresServer();
    t.after(() => postgres.dispose());
    await postgres.start();
    const url = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
    const config = `service:\n  name: user-service\ndatabase:\n  providers:\n    postgres:\n      url: \${DATABASE_URL}\n`;
    const cwd = createService(t, config, { ...seeds, ".env": `DATABASE_URL=${url}\n` });
    await migratesUndoesAndSeeds(
      cwd,
      new RegExp(`postgres at 127\\.0\\.0\\.1:${postgres.port}/postgres is up to date`),
      {},
    );
    const [port] = await freePorts(1);
    const elsewhere = { DATABASE_URL: `postgres://postgres:hunter2@127.0.0.1:${port}/postgres` };
    const away = await runCli(["db", "status"], { cwd, env: elsewhere });
    assert.equal(away.exitCode, 7);
    assert.match(away.stderr, /^error: postgres at 127\.0\.0\.1:\d+\/postgres: connect ECONNREFUSED /m);
    assert.doesNotMatch(away.stderr, /hunter2/);
  });
});

describe("tercel db new", () => {
  it("writes a migration with the next number, whose way back is begun, and prints its path", async (t) => {
    const cwd = temporaryFolder(t);
    const first = succeeded(await runCli(["db", "new", "Add users' e-mail"], { cwd }));
    assert.equal(first.stdout, "migrations/0001_add_users_e_mail.sql\n");
    assert.match(readFileSync(join(cwd, first.stdout.trim()), "utf8"), /^-- Add users' e-mail\n[\s\S]*\n-- down\n/);
    const second = succeeded(await runCli(["db", "new", "addIndex", "--for", "postgres"], { cwd }));
    assert.equal(second.stdout, "migrations/0002_add_index.postgres.sql\n");
    const refused = await runCli(["db", "new", "?!"], { cwd });
    assert.match(refused.stderr, /^error: invalid name "\?!": expected what the migration does, such as add_orders$/m);
  });

  it("counts from the highest number, whatever else is in the folder", () => {
    assert.equal(nextName(["README.md", "0009_x.sql", "0010_y.postgres.sql", "0010_y.sqlite.sql"], "z"), "0011_z");
    assert.equal(nextName(["12345_x.sql"], "z"), "12346_z");
    assert.equal(nextName([], "Grün & blau"), "0001_grun_blau");
  });
});

describe("tercel db seed", () => {
  it("takes the file of a dialect in place of the one for all", () => {
    const files = ["b.sql", "a.sql", "a.postgres.sql", "c.sqlite.sql", "notes.txt"];
    assert.deepEqual(seedFiles(files, "postgres"), ["a.postgres.sql", "b.sql"]);
    assert.deepEqual(seedFiles(files, "sqlite"), ["a.sql", "b.sql", "c.sqlite.sql"]);
  });
});

describe("tercel db shell", () => {
  it("hands the password over in a variable, not in the list of processes", () => {
    assert.deepEqual(psqlCommand("postgres://us%40er:p%2Fw@db:5433/users?sslmode=verify-full"), {
      program: "psql",
      args: [],
      variables: {
        PGHOST: "db",
        PGPORT: "5433",
        PGUSER: "us@er",
        PGPASSWORD: "p/w",
        PGDATABASE: "users",
        PGSSLMODE: "verify-full",
      },
    });
  });

  it("starts sqlite3 on the file of the service, and says when it is not installed", async (t) => {
    const cwd = createService(t, sqliteConfig);
    const missing = await runCli(["db", "shell"], { cwd, env: { PATH: cwd } });
    assert.deepEqual(
      [missing.exitCode, missing.stderr],
      [1, "error: sqlite3 is not installed\nhint: install sqlite3\n"],
    );
    writeFileSync(join(cwd, "sqlite3"), `#!/bin/sh\necho "$@" > "${cwd}/seen"\n`);
    chmodSync(join(cwd, "sqlite3"), 0o755);
    succeeded(await runCli(["db", "shell"], { cwd, env: { PATH: cwd } }));
    assert.equal(readFileSync(join(cwd, "seen"), "utf8"), `${join(cwd, "data/users.db")}\n`);
  });
});
