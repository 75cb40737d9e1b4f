import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMigration, parseMigrationName } from "./migration-file.ts";

describe("a migration's name", () => {
  it("has a number of four to nine digits, words, and perhaps a dialect", () => {
    assert.deepEqual(parseMigrationName("0001_users.sql"), { version: 1, name: "0001_users", dialect: undefined });
    assert.deepEqual(parseMigrationName("123456789_a_2.postgres.sql"), {
      version: 123456789,
      name: "123456789_a_2",
      dialect: "postgres",
    });
    const wrong = [
      "001_users.sql",
      "1234567890_users.sql",
      "users.sql",
      "0001-users.sql",
      "0001_Users.sql",
      "0001_u.mysql.sql",
    ];
    for (const name of wrong) assert.equal(parseMigrationName(name), undefined, name);
  });
});

describe("a migration's file", () => {
  const name = { version: 1, name: "0001_users", dialect: undefined };
  const parse = (text: string) => parseMigration("0001_users.sql", name, text);

  it("has a way back after a line `-- down`", () => {
    const { up, down, isTransactional } = parse("CREATE TABLE a (x int);\n-- Down\nDROP TABLE a;\n");
    assert.deepEqual([up, down, isTransactional], ["CREATE TABLE a (x int);\n", "\nDROP TABLE a;\n", true]);
    assert.equal(parse("SELECT 1; -- down with it\n").down, undefined);
  });

  it("says that it cannot run in a transaction", () => {
    assert.equal(parse("-- tercel: no-transaction\nVACUUM;").isTransactional, false);
    assert.equal(parse("SELECT '-- tercel: no-transaction';").isTransactional, true);
  });

  it("has the same hash with line ends of Windows, and another one when any letter differs", () => {
    assert.equal(parse("a\r\nb\r\n").sha256, parse("a\nb\n").sha256);
    assert.notEqual(parse("a\nb\n").sha256, parse("a\nB\n").sha256);
  });
});
