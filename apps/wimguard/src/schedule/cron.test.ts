import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { parseCron } from "./cron-times.ts";
import { cronWords } from "./cron-words.ts";
import { decideDue, isOverdue, jitterOf } from "./due.ts";

const at = (text: string): number => Date.parse(text);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** All times of an expression in a range. */
function timesOf(expression: string, timeZone: string, from: string, to: string): string[] {
  const times = parseCron(expression, timeZone, "cron");
  const found = [];
  for (let next = times.next(at(from)); next !== undefined && next < at(to); next = times.next(next)) {
    found.push(new Date(next).toISOString().slice(0, 16));
  }
  return found;
}

describe("parseCron", () => {
  it("runs a time that a clock skips at the first moment after, and one that it repeats once", () => {
    assert.deepEqual(timesOf("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-31T00:00Z"), [
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    assert.deepEqual(timesOf("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-27T00:00Z"), [
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
    assert.deepEqual(timesOf("0 1,2,3 * * *", "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T06:00Z"), [
      "2026-10-24T23:00",
      "2026-10-25T00:00",
      "2026-10-25T02:00",
    ]);
  });

  it("takes what repeats by itself by real time", () => {
    assert.equal(timesOf("*/30 * * * *", "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T22:00Z").length, 47);
    assert.equal(timesOf("*/30 * * * *", "Europe/Berlin", "2026-03-28T22:00Z", "2026-03-29T22:00Z").length, 47);
  });

  it("finds the last time as it finds the next one, in ten years of twelve zones", () => {
    const zones = [
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "America/St_Johns",
      "Australia/Lord_Howe",
      "Asia/Kolkata",
    ].concat([
      "Pacific/Apia",
      "Africa/Casablanca",
      "America/Sao_Paulo",
      "Asia/Tehran",
      "Pacific/Chatham",
      "Europe/London",
    ]);
    for (const zone of zones) {
      const times = parseCron("30 2 * * 0", zone, "cron");
      let before: number | undefined;
      for (
        let next = times.next(at("2025-01-01T00:00Z"));
        next !== undefined && next < at("2035-01-01T00:00Z");
        next = times.next(next)
      ) {
        if (before !== undefined) {
          assert.ok(next - before > 6 * dayMs && next - before < 8 * dayMs, `${zone} ${new Date(next).toISOString()}`);
          assert.equal(times.last(next - 1), before, `${zone} ${new Date(next).toISOString()}`);
        }
        assert.equal(times.last(next), next, `${zone} ${new Date(next).toISOString()}`);
        before = next;
      }
    }
  });

  for (const [expression, zone, field, message] of [
    ["", "UTC", "cron", /it has five parts: minute, hour, day of month, month, day of week/],
    ["0 0 * * * *", "UTC", "cron", /it has five parts/],
    ["61 * * * *", "UTC", "cron", /invalid cron expression "61 \* \* \* \*": invalid value for minute: 61/],
    ["0 0 31 2 *", "UTC", "cron", /it never fires/],
    [
      "0 0 * * *",
      "Mars/Base",
      "schedule.time_zone",
      /invalid time zone "Mars\/Base": use a name such as Europe\/Berlin/,
    ],
  ] as const) {
    it(`refuses ${JSON.stringify(expression)} in ${zone}, and says why`, () => {
      assert.throws(
        () => parseCron(expression, zone, "cron"),
        (error) =>
          error instanceof FailureError &&
          error.failure.reason === "CRON_INVALID" &&
          error.failure.field === field &&
          message.test(error.message),
      );
    });
  }
});

describe("cronWords", () => {
  for (const [expression, words] of [
    ["30 2 * * *", "every day at 02:30"],
    ["0 6,18 * * *", "every day at 06:00 and 18:00"],
    ["0 3 * * 1-5", "at 03:00 on Monday to Friday"],
    ["0 3 * * SUN", "at 03:00 on Sunday"],
    ["15 4 1 * *", "at 04:15 on day 1 of the month"],
    ["0 0 1 1,7 *", "at 00:00 on day 1 of the month in January and July"],
    ["*/15 * * * *", "every 15 minutes"],
    ["*/15 9-17 * * 1-5", "every 15 minutes in hours 9 to 17 on Monday to Friday"],
    ["5 * * * *", "at minute 5 of every hour"],
    ["* * * * *", "every minute"],
    ["0 */6 * * *", "at minute 0 every 6 hours"],
  ] as const) {
    it(`says ${expression} as ${words}`, () => assert.equal(cronWords(expression), words));
  }
});

describe("decideDue", () => {
  const times = parseCron("0 2 * * *", "UTC", "cron");
  const options = { times, jitterMs: 0, catchUp: "latest", maxLatenessMs: 0 } as const;
  const handled = at("2026-05-01T02:00Z");

  it("does nothing before the next time, and runs at it", () => {
    assert.deepEqual(decideDue(handled, at("2026-05-02T01:59Z"), options), { kind: "nothing" });
    assert.deepEqual(decideDue(handled, at("2026-05-02T02:00Z"), options), {
      kind: "run",
      atMs: at("2026-05-02T02:00Z"),
    });
    const late = { ...options, jitterMs: hourMs };
    assert.deepEqual(decideDue(handled, at("2026-05-02T02:59Z"), late), { kind: "nothing" });
    assert.deepEqual(decideDue(handled, at("2026-05-02T03:00Z"), late), { kind: "run", atMs: at("2026-05-02T02:00Z") });
  });

  it("catches up what was missed by one run, unless it is too late or is not to be", () => {
    const now = at("2026-05-09T12:00Z");
    const latest = at("2026-05-09T02:00Z");
    assert.deepEqual(decideDue(handled, now, options), { kind: "run", atMs: latest });
    assert.deepEqual(decideDue(handled, now, { ...options, maxLatenessMs: 10 * hourMs }), {
      kind: "run",
      atMs: latest,
    });
    assert.deepEqual(decideDue(handled, now, { ...options, maxLatenessMs: 9 * hourMs }), {
      kind: "missed",
      atMs: latest,
    });
    assert.deepEqual(decideDue(handled, now, { ...options, catchUp: "none" }), { kind: "missed", atMs: latest });
    // A tick that is a little late is not missed.
    assert.equal(decideDue(handled, latest + 60_000, { ...options, catchUp: "none" }).kind, "run");
  });

  it("repeats nothing when the clock goes back", () => {
    assert.deepEqual(decideDue(handled, at("2026-04-20T02:00Z"), options), { kind: "nothing" });
  });

  it("gives each schedule a jitter of its own that stays the same", () => {
    const own = jitterOf("a", hourMs);
    assert.equal(jitterOf("a", hourMs), own);
    assert.notEqual(jitterOf("b", hourMs), own);
    assert.ok(own >= 0 && own < hourMs);
    assert.equal(jitterOf("a", 0), 0);
  });

  it("is overdue after one and a half times the time between two runs", () => {
    assert.equal(isOverdue(times, handled, handled + 1.4 * dayMs), false);
    assert.equal(isOverdue(times, handled, handled + 1.6 * dayMs), true);
  });
});
