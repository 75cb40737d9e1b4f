import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
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

  it("decides as a naive search does, for any history", () => {
    const runs = Number(process.env.WIMGUARD_HISTORIES ?? 300);
    fc.assert(
      fc.property(
        anyHistory,
        anyPolicy,
        fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu"),
        (history, policy, zone) => {
          const context = { timeZone: zone, nowMs: utc.nowMs };
          const verdicts = decideRetention(history, policy, context);
          assert.deepEqual(
            verdicts.map(({ keep }) => keep),
            history.map((snapshot) => isKeptNaively(snapshot, history, policy, context)),
          );
          for (const { keep, reasons } of verdicts) assert.equal(keep, reasons.length > 0);
        },
      ),
      { numRuns: runs },
    );
  });
});

const anyHistory = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 0, max: 3 * 366 * 24 }),
      isGood: fc.constantFrom(true, true, true, false),
      isPinned: fc.constantFrom(false, false, false, true),
      isInUse: fc.constantFrom(false, false, false, false, true),
      tags: fc.constantFrom([], [], ["keep"]),
    }),
    { maxLength: 40 },
  )
  .map((entries) =>
    entries.map(({ hours, ...rest }, index) => ({
      ...rest,
      uuid: `s${String(index).padStart(2, "0")}`,
      createTimeMs: Date.UTC(2027, 6, 1) + hours * 1_800_000,
    })),
  );
const few = fc.integer({ min: 0, max: 6 });
const anyPolicy = fc
  .record({
    last: few,
    hourly: few,
    daily: few,
    weekly: few,
    monthly: few,
    yearly: few,
    withinMs: fc.constantFrom(0, 86_400_000, 30 * 86_400_000),
    keepTags: fc.constantFrom([], ["keep"]),
  })
  .filter((policy) =>
    Object.values(policy).some((value) => (typeof value === "number" ? value > 0 : value.length > 0)),
  );

/** Rule by rule for one snapshot, with dates found in another way: by stepping through the text of the local time. */
function isKeptNaively(
  snapshot: RetainedSnapshot,
  history: readonly RetainedSnapshot[],
  policy: RetentionPolicy,
  { timeZone, nowMs }: { timeZone: string; nowMs: number },
): boolean {
  if (snapshot.isPinned || snapshot.isInUse || snapshot.createTimeMs > nowMs) return true;
  if (!snapshot.isGood) return false;
  const good = history.filter(({ isGood }) => isGood);
  const isNewer = (a: RetainedSnapshot, b: RetainedSnapshot) =>
    a.createTimeMs > b.createTimeMs || (a.createTimeMs === b.createTimeMs && a.uuid > b.uuid);
  const newer = good.filter((other) => isNewer(other, snapshot));
  if (newer.length === 0 || newer.length < (policy.last ?? 0)) return true;
  if (policy.keepTags?.some((tag) => snapshot.tags?.includes(tag))) return true;
  const newestMs = Math.max(...good.map(({ createTimeMs }) => createTimeMs));
  if ((policy.withinMs ?? 0) > 0 && newestMs - snapshot.createTimeMs <= (policy.withinMs ?? 0)) return true;
  for (const period of ["hourly", "daily", "weekly", "monthly", "yearly"] as const) {
    const name = (one: RetainedSnapshot) => naiveKey(period, one.createTimeMs, timeZone);
    if (newer.some((other) => name(other) === name(snapshot))) continue;
    if (new Set(newer.map(name)).size < (policy[period] ?? 0)) return true;
  }
  return false;
}

function naiveKey(period: string, timeMs: number, timeZone: string): string {
  const text = new Date(timeMs).toLocaleString("sv-SE", { timeZone });
  if (period === "hourly")
    return `${text.slice(0, 13)} ${Math.floor(timeMs / 1_800_000) - Date.parse(`${text.replace(" ", "T")}Z`) / 1_800_000}`;
  if (period === "daily") return text.slice(0, 10);
  if (period === "monthly") return text.slice(0, 7);
  if (period === "yearly") return text.slice(0, 4);
  // The Monday before names a week as well as its number does.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  while (day.getUTCDay() !== 1) day.setUTCDate(day.getUTCDate() - 1);
  return day.toISOString();
}
