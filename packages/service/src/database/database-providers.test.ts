import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { createPostgresServer, withoutPostgres } from "@tercel/test-support/servers";
import sql from "sql-template-tag";
import { parse } from "valibot";
import { openEntry, providerOf, testHost } from "../../test/support/provider-host.ts";
import { PermanentError } from "../permanent-error.ts";
import type { NeedHost } from "../provider.ts";
import type { Database } from "./database.ts";
import { database as databaseNeed } from "./database-need.ts";
import { databaseProviders } from "./database-providers.ts";

const sqlite = providerOf(databaseProviders, "sqlite");
const postgres = providerOf(databaseProviders, "postgresql");
const { signal } = new AbortController();

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-providers-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function migrationsIn(folder: string): URL {
  writeFileSync(join(folder, "0001_users.sql"), "CREATE TABLE users (id integer PRIMARY KEY);");
  return pathToFileURL(`${folder}/`);
}

describe("the provider of SQLite", () => {
  it("makes the folder of its file, migrates before it is opened, and describes itself", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "new/deeper/users.db");
    const config = parse(sqlite.config, { path });
    const migrations = migrationsIn(folder);
    const refused = sqlite.migrate?.(config, { folder: migrations, mode: "check" }, testHost());
    await assert.rejects(refused as Promise<void>, PermanentError);
    await sqlite.migrate?.(config, { folder: migrations, mode: "apply" }, testHost());
    await sqlite.migrate?.(config, { folder: migrations, mode: "check" }, testHost());
    const opened = await openEntry<Database>(sqlite, { path });
    assert.equal(opened.describe, `sqlite at ${path}`);
    await opened.check(signal);
    assert.deepEqual(await opened.port.all(sql`SELECT id FROM users`), []);
    await opened.close();
    await assert.rejects(opened.check(signal), /is closed/);
  });

  it("has a file of the service's name without a path", async (t) => {
    const folder = temporaryFolder(t);
    const before = process.cwd();
    process.chdir(folder);
    t.after(() => process.chdir(before));
    const opened = await openEntry<Database>(sqlite, {});
    assert.ok(existsSync(join(folder, "data/test-service.db")));
    await opened.close();
  });

  it("migrates in memory once it is open, because what was there before is gone", async (t) => {
    const need = databaseNeed({ migrations: migrationsIn(temporaryFolder(t)) });
    const config = parse(sqlite.config, { path: ":memory:" });
    await sqlite.migrate?.(config, { folder: need.migrations as URL, mode: "check" }, testHost());
    const opened = await openEntry<Database>(sqlite, { path: ":memory:" });
    const host: NeedHost = { ...testHost(), need: "db", describe: opened.describe, portOf: () => undefined };
    const { port } = await need.prepare(opened.port, host);
    assert.deepEqual(await port.all(sql`SELECT id FROM users`), []);
    await opened.close();
  });

  it("refuses settings that are unknown or out of bounds", () => {
    for (const wrong of [
      { pth: "x" },
      { path: "" },
      { busy_timeout: "0" },
      { synchronous: "off" },
      { max_streams: 0 },
    ]) {
      assert.throws(() => parse(sqlite.config, wrong), { name: "ValiError" }, JSON.stringify(wrong));
    }
  });
});

describe("the provider of PostgreSQL", () => {
  it("answers to the name in printed configurations, and refuses wrong settings", () => {
    assert.equal(postgres.type, "postgres");
    const url = "postgres://u:p@db:5432/users";
    assert.ok(parse(postgres.config, { url, max_connections: 100 }));
    for (const wrong of [{}, { url: "mysql://db" }, { url, max_connections: 0 }, { url, max_conections: 5 }]) {
      assert.throws(() => parse(postgres.config, wrong), { name: "ValiError" }, JSON.stringify(wrong));
    }
  });

  it("migrates, opens, is checked and closes", { skip: withoutPostgres, timeout: 60_000 }, async (t) => {
    const server = await createPostgresServer();
    t.after(() => server.dispose());
    await server.start();
    const url = `postgres://postgres:hidden@127.0.0.1:${server.port}/postgres`;
    const folder = migrationsIn(temporaryFolder(t));
    await postgres.migrate?.(parse(postgres.config, { url }), { folder, mode: "apply" }, testHost());
    const opened = await openEntry<Database>(postgres, { url });
    assert.equal(opened.describe, `postgres at 127.0.0.1:${server.port}/postgres`);
    await opened.check(signal);
    assert.deepEqual(await opened.port.all(sql`SELECT id FROM users`), []);
    await server.kill();
    await assert.rejects(opened.check(signal));
    await opened.close();
  });
});

describe("the need for a database", () => {
  it("takes the default provider or a named one, and refuses unknown options when the service starts", async () => {
    assert.equal(databaseNeed().provider, undefined);
    assert.equal(databaseNeed("reporting").provider, "reporting");
    const migrations = new URL("file:///m/");
    assert.equal(databaseNeed("reporting", { migrations }).migrations, migrations);
    const preparing = databaseNeed({ migration: migrations } as object).prepare({} as never, {} as never);
    await assert.rejects(Promise.resolve(preparing), /database: .*did you mean "migrations"/);
  });
});
