import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { createPeriodKeys } from "./period-keys.ts";
import { decideRetention, type RetainedSnapshot, type RetentionPolicy } from "./retention.ts";

const utc = { timeZone: "UTC", nowMs: Date.UTC(2030, 0, 1) };

function at(uuid: string, iso: string, more: Partial<RetainedSnapshot> = {}): RetainedSnapshot {
  return { uuid, createTimeMs: Date.parse(iso), isGood: true, ...more };
}

function kept(snapshots: RetainedSnapshot[], policy: RetentionPolicy, context = utc): string {
  return decideRetention(snapshots, policy, context)
    .filter(({ keep }) => keep)
    .map(({ uuid }) => uuid)
    .join("");
}

describe("decideRetention", () => {
  it("refuses a policy that keeps nothing", () => {
    for (const policy of [{}, { last: 0, withinMs: 0, keepTags: [] }]) {
      assert.throws(
        () => decideRetention([], policy, utc),
        (error) => error instanceof FailureError && error.failure.reason === "RETENTION_UNSAFE",
      );
    }
  });

  it("counts only days that have a snapshot, so that a machine that was off loses nothing", () => {
    const snapshots = [
      at("a", "2020-01-01T00:00:00Z"),
      at("b", "2024-05-05T00:00:00Z"),
      at("c", "2024-05-06T00:00:00Z"),
    ];
    assert.equal(kept(snapshots, { daily: 3 }), "abc");
    assert.equal(kept(snapshots, { daily: 2 }), "bc");
  });

  it("keeps the newest of a day", () => {
    assert.equal(kept([at("a", "2024-05-05T01:00:00Z"), at("b", "2024-05-05T23:00:00Z")], { daily: 5 }), "b");
  });

  it("splits days by the wall clock of the zone", () => {
    const snapshots = [at("a", "2024-05-05T21:30:00Z"), at("b", "2024-05-05T22:30:00Z")];
    assert.equal(kept(snapshots, { daily: 5 }, { ...utc, timeZone: "Europe/Berlin" }), "ab");
    assert.equal(kept(snapshots, { daily: 5 }), "b");
  });

  it("always keeps pinned, in use, future, newest good and newest drilled ones, with reasons", () => {
    const snapshots = [
      at("p", "2020-01-01T00:00:00Z", { isPinned: true }),
      at("u", "2020-01-02T00:00:00Z", { isInUse: true }),
      at("d", "2020-01-03T00:00:00Z", { drillTimeMs: 2 }),
      at("e", "2020-01-04T00:00:00Z", { drillTimeMs: 1 }),
      at("g", "2021-01-01T00:00:00Z"),
      at("x", "2021-01-02T00:00:00Z", { isGood: false }),
      at("f", "2031-01-01T00:00:00Z", { isGood: false }),
    ];
    assert.deepEqual(
      decideRetention(snapshots, { keepTags: ["none"] }, utc).map(({ reasons }) => reasons),
      [
        ["pinned"],
        ["in use"],
        ["newest that a drill restored"],
        [],
        ["newest good snapshot"],
        [],
        ["dated in the future"],
      ],
    );
  });

  it("keeps what is within the time from the newest, at its edge too", () => {
    const snapshots = [
      at("a", "2024-01-01T00:00:00Z"),
      at("b", "2024-01-01T00:00:01Z"),
      at("c", "2024-01-02T00:00:01Z"),
    ];
    assert.equal(kept(snapshots, { withinMs: 86_400_000 }), "bc");
  });

  it("puts the last days of a year into the week that their Thursday is in", () => {
    assert.equal(createPeriodKeys("UTC")(Date.parse("2024-12-30T12:00:00Z")).weekly, "2025-W01");
    assert.equal(createPeriodKeys("UTC")(Date.parse("2027-01-03T12:00:00Z")).weekly, "2026-W53");
  });

  it("counts the hour that the clock repeats as two", () => {
    const snapshots = [at("a", "2024-10-27T00:30:00Z"), at("b", "2024-10-27T01:30:00Z")];
    assert.equal(kept(snapshots, { hourly: 9 }, { ...utc, timeZone: "Europe/Berlin" }), "ab");
  });
});
