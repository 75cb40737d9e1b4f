import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../crash/crash-points.ts";
import { type FixedTimes, naiveTimes } from "./naive-times.ts";
import { SchedulerBench } from "./scheduler-bench.ts";

export const clockZones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/Sao_Paulo",
  "Asia/Tehran",
  "Pacific/Chatham",
  "Europe/London",
] as const;

const expressions: readonly FixedTimes[] = [
  { expression: "30 2 * * *", minute: 30, hours: [2], isOnDay: () => true },
  { expression: "0 0 * * 0", minute: 0, hours: [0], isOnDay: ({ weekday }) => weekday === 0 },
  { expression: "15 1 1 * *", minute: 15, hours: [1], isOnDay: ({ date }) => date === 1 },
  { expression: "0 2,14 * 3,10 *", minute: 0, hours: [2, 14], isOnDay: ({ month }) => month === 3 || month === 10 },
];

export interface ClockCase {
  readonly timeZone: string;
  readonly times: FixedTimes;
}

/** Each expression in each zone. */
export const clockCases: readonly ClockCase[] = expressions.flatMap((times) =>
  clockZones.map((timeZone) => ({ timeZone, times })),
);

const startMs = Date.UTC(2025, 0, 1, 12);
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const longestPauseDays = 40;

/**
 * Lets a scheduler run for years by a clock of the test: it looks shortly after most times, is off for days, is started again, and its clock is set
 * back and forth by up to a day. Asserts that it has started when a naive model says. Returns how many runs there were.
 */
export async function checkClock(
  { timeZone, times }: ClockCase,
  { years, seed }: { readonly years: number; readonly seed: number },
): Promise<number> {
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "tercel-clock-"));
  const endMs = startMs + years * 365.25 * dayMs;
  // The last look may come after a pause that begins just before the end.
  const all = naiveTimes(times, timeZone, startMs, endMs + (longestPauseDays + 2) * dayMs);
  let bench = new SchedulerBench(folder, startMs);
  try {
    bench.add({ cron: times.expression, timeZone });
    const [expected, started]: [number[], number[]] = [[], []];
    // What the naive model remembers: the last time that was taken care of.
    let handled = startMs;
    let nowMs = startMs;
    while (nowMs < endMs) {
      nowMs = nextLook(nowMs, all, random);
      const latest = lastUntil(all, nowMs);
      if (latest !== undefined && latest > handled) {
        handled = latest;
        expected.push(nowMs);
      }
      await bench.tickAt(nowMs);
      await bench.end();
      if (random() < 0.02) {
        await bench.close();
        started.push(...bench.startedMs);
        bench = new SchedulerBench(folder, nowMs);
      }
    }
    started.push(...bench.startedMs);
    const toText = (all: readonly number[]) => all.map((time) => new Date(time).toISOString());
    assert.deepEqual(toText(started), toText(expected), `${times.expression} in ${timeZone}`);
    return expected.length;
  } finally {
    await bench.close();
    rmSync(folder, { recursive: true });
  }
}

/** Mostly right after the next time; sometimes before it, days later, or, because the clock was set, earlier. */
function nextLook(nowMs: number, all: readonly number[], random: () => number): number {
  const kind = random();
  if (kind < 0.03) return nowMs - Math.floor(random() * dayMs);
  if (kind < 0.06) return nowMs + Math.floor(random() * dayMs);
  if (kind < 0.1) return nowMs + Math.floor(random() * longestPauseDays) * dayMs;
  const next = all[firstAfter(all, nowMs)] ?? nowMs + dayMs;
  if (kind < 0.2) return Math.max(nowMs, next - Math.floor(random() * 10 * minuteMs) - 1);
  return next + Math.floor(random() * 15_000);
}

function lastUntil(all: readonly number[], timeMs: number): number | undefined {
  return all[firstAfter(all, timeMs) - 1];
}

/** The index of the first time after another one. */
function firstAfter(all: readonly number[], timeMs: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle] as number) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
