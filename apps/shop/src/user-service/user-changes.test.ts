import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openDatabase } from "../storage/open-database.ts";
import { openUserChanges } from "./user-changes.ts";
import { userMigrations } from "./user-schema.ts";

let database: DatabaseSync;
beforeEach(() => {
  database = openDatabase(":memory:", userMigrations);
});
afterEach(() => database.close());

test("changes come back in order, from the one that is asked for on", () => {
  const changes = openUserChanges(database);
  assert.equal(changes.last(), 0);
  const all = [changes.append("created", "a", 1), changes.append("updated", "b", 2), changes.append("deleted", "a", 3)];
  assert.deepEqual(changes.after(0, 10), all);
  assert.deepEqual(changes.after(1, 1), [all[1]]);
  assert.deepEqual(changes.after(3, 10), []);
  assert.equal(changes.last(), 3);
});

test("the oldest changes are forgotten, and it is known how far back the others reach", () => {
  const changes = openUserChanges(database, 2);
  for (const id of ["a", "b", "c"]) changes.append("created", id, 1);
  assert.deepEqual(
    changes.after(0, 10).map(({ userId }) => userId),
    ["b", "c"],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((seq) => changes.reachesBackTo(seq)),
    [false, true, true, true, false],
  );
});

test("without changes the only place to go on from is the beginning", () => {
  const changes = openUserChanges(database);
  assert.equal(changes.reachesBackTo(0), true);
  assert.equal(changes.reachesBackTo(1), false);
});
