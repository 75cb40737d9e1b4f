// The times of simple cron expressions, found without any library for cron: by the offsets of a zone, hour by hour.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A cron expression whose hour and minute are numbers. */
export interface FixedTimes {
  readonly expression: string;
  readonly minute: number;
  readonly hours: readonly number[];
  /** Whether a day of the zone's calendar counts; weekday 0 is Sunday. */
  readonly isOnDay: (day: { readonly month: number; readonly date: number; readonly weekday: number }) => boolean;
}

/** A time from which a zone has another offset. */
interface Change {
  readonly atMs: number;
  readonly offsetMs: number;
}

/** All instants of the expression in a range, in order: one that a clock skips is at the first moment after, one that it repeats is once. */
export function naiveTimes(
  { minute, hours, isOnDay }: FixedTimes,
  timeZone: string,
  fromMs: number,
  toMs: number,
): number[] {
  const changes = changesOf(timeZone, fromMs - 2 * dayMs, toMs + 2 * dayMs);
  const found = new Set<number>();
  for (let dayStart = fromMs - (fromMs % dayMs) - 2 * dayMs; dayStart < toMs + 2 * dayMs; dayStart += dayMs) {
    const day = new Date(dayStart);
    if (!isOnDay({ month: day.getUTCMonth() + 1, date: day.getUTCDate(), weekday: day.getUTCDay() })) continue;
    for (const hour of hours) {
      const instant = instantOf(dayStart + hour * hourMs + minute * minuteMs, changes);
      if (instant >= fromMs && instant < toMs) found.add(instant);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** The first instant at which the zone's clock shows this, or has just passed it. */
function instantOf(wallMs: number, changes: readonly Change[]): number {
  for (const [at, { atMs, offsetMs }] of changes.entries()) {
    const endMs = changes[at + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    // In this part of time the clock shows from atMs + offset to endMs + offset.
    if (wallMs < atMs + offsetMs) return atMs;
    if (wallMs < endMs + offsetMs) return wallMs - offsetMs;
  }
  return Number.NaN;
}

function changesOf(timeZone: string, fromMs: number, toMs: number): Change[] {
  const offsetAt = createOffsets(timeZone);
  const changes: Change[] = [{ atMs: Number.NEGATIVE_INFINITY, offsetMs: offsetAt(fromMs) }];
  for (let time = fromMs - (fromMs % hourMs); time < toMs; time += 6 * hourMs) {
    const before = changes.at(-1)?.offsetMs;
    const after = offsetAt(time + 6 * hourMs);
    if (after === before) continue;
    let [low, high] = [time, time + 6 * hourMs];
    while (high - low > minuteMs) {
      const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ atMs: high, offsetMs: after });
  }
  return changes;
}

function createOffsets(timeZone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (timeMs) => Date.parse(`${format.format(timeMs).replace(" ", "T")}Z`) - (timeMs - (timeMs % 1000));
}
