import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openServiceSecret } from "../service/service-secret.ts";
import { openDatabase } from "./open-database.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-storage-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const migrations = ["CREATE TABLE a (n INTEGER PRIMARY KEY) STRICT"];

test("a file that is not a database is refused, naming it and the remedy, and left as it is", () => {
  const path = join(folder, "users.db");
  writeFileSync(path, "x".repeat(5_000));
  assert.throws(() => openDatabase(path, migrations), {
    message:
      `${path} is damaged (file is not a database); ` +
      "restore a backup, or delete it with its -wal and -shm files to start empty",
  });
  assert.equal(readFileSync(path, "utf8"), "x".repeat(5_000));
});

test("a database that was cut off is refused, naming it and the remedy", () => {
  const path = join(folder, "users.db");
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE b (n INTEGER) STRICT");
  database.close();
  writeFileSync(path, readFileSync(path).fill(0x77, 100, 4_096));
  assert.throws(
    () => openDatabase(path, migrations),
    new RegExp(`^Error: ${path} is damaged \\(database disk image is malformed\\); restore a backup`),
  );
});

test("a folder that cannot be made is refused, naming what is in its place and how to choose another", () => {
  writeFileSync(join(folder, "data"), "");
  const path = join(folder, "data", "shop", "users.db");
  assert.throws(() => openDatabase(path, migrations), {
    message:
      `cannot use ${path}: ${join(folder, "data")} is not a folder; make its folder writable for this user, ` +
      "or choose another folder with --data-dir or SHOP_DATA_DIR",
  });
  assert.throws(() => openServiceSecret(path), { message: /is not a folder; .* --data-dir or SHOP_DATA_DIR$/ });
});

test("a folder in the place of the database is refused, naming it", () => {
  const path = join(folder, "users.db");
  mkdirSync(path);
  assert.throws(() => openDatabase(path, migrations), { message: new RegExp(`^cannot use ${path}: it is a folder; `) });
});

test("a folder that is missing is made", () => {
  openDatabase(join(folder, "a", "b", "users.db"), migrations).close();
});
