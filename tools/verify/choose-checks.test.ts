import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Check } from "./checks.ts";
import { type Choice, chooseChecks } from "./choose-checks.ts";
import type { CheckRecord } from "./record.ts";

const check = (name: string, minutes = 5): Check => ({ name, command: ["true"], minutes });
const record = (name: string, date: string, commit = "1a2b3c4", hasPassed = true): CheckRecord => ({
  name,
  date,
  commit,
  hasPassed,
  minutes: 1,
  figure: "",
});
const choose = (checks: readonly Check[], records: readonly CheckRecord[], choice: Partial<Choice> = {}) =>
  chooseChecks(checks, records, { names: [], ...choice }).map(({ name }) => name);

describe("chooseChecks", () => {
  it("chooses the named checks, or all", () => {
    const checks = [check("fuzz"), check("hpack"), check("mixed")];
    assert.deepEqual(choose(checks, []), ["fuzz", "hpack", "mixed"]);
    assert.deepEqual(choose(checks, [], { names: ["mixed", "fuzz"] }), ["fuzz", "mixed"]);
  });

  it("begins with checks that never ran, then with the oldest", () => {
    const records = [record("fuzz", "2026-12-01"), record("mixed", "2026-11-30")];
    assert.deepEqual(choose([check("fuzz"), check("hpack"), check("mixed")], records), ["hpack", "mixed", "fuzz"]);
  });

  it("omits checks that passed on the commit, but not checks that failed on it or passed on another commit", () => {
    const records = [
      record("fuzz", "2026-12-01"),
      record("hpack", "2026-12-01", "1a2b3c4", false),
      record("mixed", "2026-12-01", "5d6e7f8"),
    ];
    const checks = [check("fuzz"), check("hpack"), check("mixed")];
    assert.deepEqual(choose(checks, records, { passedOn: "1a2b3c4" }), ["hpack", "mixed"]);
    assert.deepEqual(choose(checks, records), ["fuzz", "hpack", "mixed"]);
  });

  it("chooses checks that fit into the minutes, on both sides of the limit", () => {
    const checks = [check("fuzz", 10), check("hpack", 1), check("mixed", 31), check("overload", 2)];
    assert.deepEqual(choose(checks, [], { minutes: 13 }), ["fuzz", "hpack", "overload"]);
    assert.deepEqual(choose(checks, [], { minutes: 12 }), ["fuzz", "hpack"]);
    assert.deepEqual(choose(checks, [], { minutes: 0.5 }), []);
  });
});
