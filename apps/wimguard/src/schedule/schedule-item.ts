import type { NamedItem } from "../catalog/named-store.ts";
import type { ListedTable } from "../catalog/search-rows.ts";
import { fail } from "../failure/failure.ts";
import type { ItemInput } from "../registry/item-service.ts";
import type { RetentionPolicy } from "../retention/retention.ts";
import { parseCron } from "./cron-times.ts";

/** When and how a source is backed up again and again. */
export interface Schedule extends NamedItem {
  readonly sourceUuid: string;
  readonly destinationUuid: string;
  readonly cron: string;
  /** An IANA name; empty for the daemon's. */
  readonly timeZone: string;
  /** Each run is later by a fixed part of this, so that machines with one schedule do not start at once. */
  readonly jitterMs: number;
  /** One run for all that were missed, or none. */
  readonly catchUp: "latest" | "none";
  /** A run that was missed by more is not caught up; 0 for no limit. */
  readonly maxLatenessMs: number;
  /** What happens while the last run is not over. */
  readonly overlap: "skip" | "queue" | "cancel";
  readonly retention: RetentionPolicy;
  readonly compression: string;
  /** Of the newest snapshot's data, checked each day. */
  readonly verifyPercent: number;
  /** When a sample of the newest snapshot is restored; empty for never. */
  readonly drillCron: string;
  readonly unreadable: "skip" | "fail";
  /** Programs with their arguments, run without a shell; empty for none. */
  readonly beforeCommand: readonly string[];
  readonly afterCommand: readonly string[];
  readonly isPaused: boolean;
}

type ScheduleBody = Omit<Schedule, keyof NamedItem | "isPaused">;

export const scheduleTable: ListedTable<Schedule> = {
  table: "schedules",
  fields: { name: "string", paused: "bool" },
  columns: { name: "name", paused: "is_paused" },
  toItem: (row) => ({
    uuid: row.uuid as string,
    name: row.name as string,
    revision: row.revision as number,
    isPaused: row.is_paused === 1,
    ...(JSON.parse(row.body as string) as ScheduleBody),
  }),
};

export function scheduleColumns({ uuid: _, name: __, revision: ___, isPaused, ...body }: Schedule) {
  return { body: JSON.stringify(body), is_paused: isPaused ? 1 : 0 };
}

const maxJitterMs = 24 * 3_600_000;
const maxArguments = 64;

/** @throws FailureError that names the field */
export function checkSchedule(
  input: ItemInput<Schedule>,
  exists: (kind: "source" | "destination", uuid: string) => boolean,
): ItemInput<Schedule> {
  for (const kind of ["source", "destination"] as const) {
    const [uuid, field] = [input[`${kind}Uuid`], `schedule.${kind}_uuid`];
    if (uuid === "") fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required` });
    if (!exists(kind, uuid)) {
      const message = `${kind} ${JSON.stringify(uuid.slice(0, 64))} not found: create it first`;
      fail({ reason: "FIELD_INVALID", field, message });
    }
  }
  parseCron(input.cron, input.timeZone, "schedule.cron");
  if (input.drillCron !== "") parseCron(input.drillCron, input.timeZone, "schedule.drill_cron");
  checkRange("jitter", input.jitterMs, maxJitterMs);
  checkRange("max_lateness", input.maxLatenessMs, Number.MAX_SAFE_INTEGER);
  checkRange("verify_percent", input.verifyPercent, 100);
  for (const [name, count] of Object.entries(input.retention)) {
    if (typeof count === "number") checkRange(`retention.${name}`, count, Number.MAX_SAFE_INTEGER);
  }
  checkCommand("before_command", input.beforeCommand);
  checkCommand("after_command", input.afterCommand);
  return input;
}

function checkRange(name: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return;
  fail({ reason: "FIELD_INVALID", field: `schedule.${name}`, message: `invalid ${name} ${value}: use 0 to ${max}` });
}

function checkCommand(name: string, command: readonly string[]): void {
  const isValid = command.length <= maxArguments && command.every((one) => !one.includes("\0"));
  if (isValid && (command.length === 0 || command[0]?.startsWith("/") === true)) return;
  const message = `invalid ${name}: use the absolute path of a program, and at most ${maxArguments - 1} arguments`;
  fail({ reason: "FIELD_INVALID", field: `schedule.${name}`, message });
}
