import assert from "node:assert/strict";
import fc from "fast-check";
import { decideRetention, type RetainedSnapshot, type RetentionPolicy } from "../../src/retention/retention.ts";

const nowMs = Date.UTC(2030, 0, 1);

/** Compares the decisions on random histories with those of a naive search. */
export function checkHistories(count: number, seed: number): void {
  fc.assert(
    fc.property(
      anyHistory,
      anyPolicy,
      fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu"),
      (history, policy, timeZone) => {
        const context = { timeZone, nowMs };
        const verdicts = decideRetention(history, policy, context);
        assert.deepEqual(
          verdicts.map(({ keep }) => keep),
          history.map((snapshot) => isKeptNaively(snapshot, history, policy, context)),
        );
        for (const { keep, reasons } of verdicts) assert.equal(keep, reasons.length > 0);
      },
    ),
    { numRuns: count, seed },
  );
}

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
