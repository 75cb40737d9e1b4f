// Migrates one database, given by a path or an address, with the files of a folder; prints the names of what it applied.
import { pathToFileURL } from "node:url";
import { systemClock } from "@tercel/grpc";
import { openPostgres } from "../../src/database/postgres/postgres-database.ts";
import { openSqlite } from "../../src/database/sqlite/sqlite-database.ts";
import { migrate } from "../../src/migrations/migrate.ts";

const [where = "", folder = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const host = { name: "main", clock: systemClock, log };
const database = where.startsWith("postgres:")
  ? await openPostgres({ url: where, maxConnections: 2 }, host)
  : await openSqlite({ path: where }, host);
const applied = await migrate(database, { folder: pathToFileURL(`${folder}/`), log });
await database.close();
console.log(JSON.stringify(applied));
