import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { inTransaction, openDatabase } from "./open-database.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shop-database-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const first = "CREATE TABLE a (n INTEGER PRIMARY KEY) STRICT";
const second = "CREATE TABLE b (n INTEGER REFERENCES a (n)) STRICT";

test("a new database gets a folder that only its owner can enter", () => {
  openDatabase(join(folder, "new", "shop.db"), [first]).close();
  assert.equal(statSync(join(folder, "new")).mode & 0o777, 0o700);
});

test("the journal is a WAL, foreign keys are enforced and a lock is waited for", () => {
  const database = openDatabase(join(folder, "shop.db"), [first, second]);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
  assert.equal(database.prepare("PRAGMA busy_timeout").get()?.timeout, 1_000);
  assert.throws(() => database.exec("INSERT INTO b (n) VALUES (1)"), /FOREIGN KEY/);
  database.close();
});

test("an older schema gets only the steps it lacks", () => {
  const path = join(folder, "shop.db");
  const before = openDatabase(path, [first]);
  before.exec("INSERT INTO a (n) VALUES (7)");
  before.close();
  const after = openDatabase(path, [first, second]);
  assert.equal(after.prepare("SELECT n FROM a").get()?.n, 7);
  assert.equal(after.prepare("PRAGMA user_version").get()?.user_version, 2);
  after.close();
});

test("a schema from a newer release is refused and left alone", () => {
  const path = join(folder, "shop.db");
  openDatabase(path, [first, second]).close();
  assert.throws(() => openDatabase(path, [first]), /schema version 2, but this program knows only 1/);
  const database = openDatabase(path, [first, second]);
  assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, 2);
  database.close();
});

test("a failing migration leaves the version where it was", () => {
  const path = join(folder, "shop.db");
  assert.throws(() => openDatabase(path, [first, "CREATE TABLE oops"]));
  const database = openDatabase(path, [first]);
  assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, 1);
  database.close();
});

test("a transaction that throws changes nothing, and the next one works", () => {
  const database = openDatabase(":memory:", [first]);
  assert.throws(
    () =>
      inTransaction(database, () => {
        database.exec("INSERT INTO a (n) VALUES (1)");
        throw new Error("half way");
      }),
    /half way/,
  );
  assert.equal(
    inTransaction(database, () => database.prepare("SELECT count(*) AS count FROM a").get()?.count),
    0,
  );
  database.close();
});
