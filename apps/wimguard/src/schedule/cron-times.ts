import { Cron } from "croner";
import { fail } from "../failure/failure.ts";

/** The times of a cron expression in a zone. */
export interface CronTimes {
  /** The first one after a time; undefined after the last one. */
  next(afterMs: number): number | undefined;
  /** The last one at or before a time. */
  last(untilMs: number): number | undefined;
}

/** The zone of the machine, where a schedule does not say one. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * Parses minute, hour, day, month and weekday. A time that a clock skips is at the first moment after; one that a clock repeats is once,
 * unless the expression repeats by itself.
 *
 * @throws FailureError CRON_INVALID that names the field
 */
export function parseCron(expression: string, timeZone: string, field: string): CronTimes {
  const zone = timeZone === "" ? localZone() : timeZone;
  let cron: Cron;
  let first: Date | null;
  try {
    cron = new Cron(expression, { timezone: zone, mode: "5-part", fixedTimeRule: "no-wildcard" });
    first = cron.nextRun();
  } catch (error) {
    const isZone = !isTimeZone(zone);
    const shown = JSON.stringify((isZone ? zone : expression).slice(0, 100));
    const problem = isZone ? "use a name such as Europe/Berlin" : reasonOf(error);
    fail(
      {
        reason: "CRON_INVALID",
        field: isZone ? "schedule.time_zone" : field,
        message: `invalid ${isZone ? "time zone" : "cron expression"} ${shown}: ${problem}`,
      },
      error,
    );
  }
  if (first === null) {
    const message = `invalid cron expression ${JSON.stringify(expression)}: it never fires`;
    fail({ reason: "CRON_INVALID", field, message });
  }
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    last: (untilMs) => cron.previousRuns(1, new Date(untilMs + 1))[0]?.getTime(),
  };
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/five, six, or seven|exactly 5 parts/.test(text)) {
    return "it has five parts: minute, hour, day of month, month, day of week";
  }
  return text.replace(/^Cron\w+: /, "").replace(/^I/, "i");
}
