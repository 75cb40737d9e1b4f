import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PermanentError } from "../permanent-error.ts";
import type { Migration } from "./migration-file.ts";
import { type AppliedMigration, planMigrations } from "./plan-migrations.ts";

const file = (version: number, sha256 = "a"): Migration => ({
  version,
  name: `000${version}_x`,
  file: `000${version}_x.sql`,
  sha256,
  up: "",
  down: undefined,
  isTransactional: true,
});
const applied = (version: number, sha256 = "a"): AppliedMigration => ({
  version,
  name: `000${version}_x`,
  sha256,
  applied_at: "",
});
const refusal = (text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PermanentError);
  assert.match(error.message, text);
  return true;
};

describe("what is to be migrated", () => {
  it("are the files that were not applied, in order", () => {
    const { pending } = planMigrations([file(1), file(2), file(3)], [applied(1)]);
    assert.deepEqual(
      pending.map(({ version }) => version),
      [2, 3],
    );
    assert.deepEqual(planMigrations([], []).pending, []);
  });

  it("leaves alone what a later release has applied", () => {
    const { pending, unknown } = planMigrations([file(1)], [applied(1), applied(2)]);
    assert.deepEqual([pending, unknown], [[], [applied(2)]]);
  });

  it("is refused after an applied file was edited, with both hashes", () => {
    const edited =
      /0001_x\.sql was edited after it was applied: its sha256 is b, applied was a; restore it and add a new file/;
    assert.throws(() => planMigrations([file(1, "b")], [applied(1)]), refusal(edited));
  });

  it("is refused when a file was removed between others, or inserted before an applied one", () => {
    assert.throws(
      () => planMigrations([file(1), file(3)], [applied(1), applied(2), applied(3)]),
      refusal(/file of applied migration 0002_x is missing/),
    );
    assert.throws(
      () => planMigrations([file(1), file(2), file(3)], [applied(1), applied(3)]),
      refusal(/0002_x\.sql is out of order: 0003_x is already applied/),
    );
  });
});
