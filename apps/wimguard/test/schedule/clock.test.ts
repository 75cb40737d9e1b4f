import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCron } from "../../src/schedule/cron-times.ts";
import { checkClock, clockCases, clockZones } from "./clock.ts";
import { naiveTimes } from "./naive-times.ts";

// A sample of `npm run soak -- wimguard clock`, which runs every schedule for ten years.
describe("schedules by a clock that jumps", () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  for (const timeZone of ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]) {
    it(`run when a naive model says, once, in ${timeZone} (seed ${seed})`, async () => {
      const one = clockCases.find((found) => found.timeZone === timeZone);
      assert.ok((await checkClock(one as (typeof clockCases)[number], { years: 0.5, seed })) > 50);
    });
  }

  it("run for a time that comes in a pause after the last of the years (seed 120013)", async () => {
    const weekly = clockCases.find(({ timeZone, times }) => timeZone === "UTC" && times.expression === "0 0 * * 0");
    assert.equal(await checkClock(weekly as (typeof clockCases)[number], { years: 10, seed: 120_013 }), 490);
  });

  it("have the times of a naive model for ten years in twelve zones", () => {
    const [from, to] = [Date.UTC(2025, 0, 1), Date.UTC(2035, 0, 1)];
    assert.equal(clockZones.length, 12);
    for (const { timeZone, times } of clockCases) {
      const cron = parseCron(times.expression, timeZone, "cron");
      const found: number[] = [];
      for (let next = cron.next(from - 1); next !== undefined && next < to; next = cron.next(next)) found.push(next);
      const toText = (all: readonly number[]) => all.map((time) => new Date(time).toISOString());
      assert.deepEqual(
        toText(found),
        toText(naiveTimes(times, timeZone, from, to)),
        `${times.expression} in ${timeZone}`,
      );
    }
  });
});
