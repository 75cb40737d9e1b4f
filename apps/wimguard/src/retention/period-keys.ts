export type Period = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/** Names of the hour, day, ISO week, month and year that a moment is in. */
export type PeriodKeys = Readonly<Record<Period, string>>;

const dayMs = 86_400_000;

/**
 * Creates the function that names the periods of a moment by the wall clock of a zone. The hour that a clock going back repeats
 * counts as two: its name ends in the offset from UTC.
 */
export function createPeriodKeys(timeZone: string): (timeMs: number) => PeriodKeys {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "iso8601",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  });
  return (timeMs) => {
    const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    const [year, month, day] = [parts.get("year"), parts.get("month"), parts.get("day")].map(Number) as [
      number,
      number,
      number,
    ];
    const yearKey = String(year).padStart(4, "0");
    const monthKey = `${yearKey}-${parts.get("month")}`;
    const dayKey = `${monthKey}-${parts.get("day")}`;
    return {
      yearly: yearKey,
      monthly: monthKey,
      weekly: isoWeek(Date.UTC(year, month - 1, day)),
      daily: dayKey,
      hourly: `${dayKey}T${parts.get("hour")} ${parts.get("timeZoneName")}`,
    };
  };
}

/** ISO 8601: a week belongs to the year that its Thursday is in. */
function isoWeek(midnightMs: number): string {
  const weekday = (new Date(midnightMs).getUTCDay() + 6) % 7;
  const thursday = new Date(midnightMs + (3 - weekday) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
