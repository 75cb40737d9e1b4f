import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { fail } from "../../failure/failure.ts";
import { type Retention, RetentionSchema } from "../../gen/wimguard/v1/common_pb.ts";
import {
  CatchUp,
  Overlap,
  type Schedule as ScheduleMessage,
  ScheduleSchema,
  Unreadable,
} from "../../gen/wimguard/v1/schedule_pb.ts";
import { type ItemInput, itemEtag } from "../../registry/item-service.ts";
import type { RetentionPolicy } from "../../retention/retention.ts";
import type { Schedule } from "../../schedule/schedule-item.ts";

const catchUps: Readonly<Record<Schedule["catchUp"], CatchUp>> = { latest: CatchUp.LATEST, none: CatchUp.NONE };
const overlaps: Readonly<Record<Schedule["overlap"], Overlap>> = {
  skip: Overlap.SKIP,
  queue: Overlap.QUEUE,
  cancel: Overlap.CANCEL_RUNNING,
};
const unreadables: Readonly<Record<Schedule["unreadable"], Unreadable>> = {
  skip: Unreadable.SKIP,
  fail: Unreadable.FAIL,
};

/** Returns the name of an enum value; the first one for 0. */
function nameOf<Name extends string>(names: Readonly<Record<Name, number>>, value: number, field: string): Name {
  const all = Object.keys(names) as Name[];
  const found = value === 0 ? all[0] : all.find((name) => names[name] === value);
  return found ?? fail({ reason: "FIELD_INVALID", field: `schedule.${field}`, message: `unknown ${field} ${value}` });
}

/** Converts the handling of unreadable paths. */
export function toUnreadable(value: Unreadable): Schedule["unreadable"] {
  return nameOf(unreadables, value, "unreadable");
}

export function fromSchedule(message: ScheduleMessage): ItemInput<Schedule> {
  const { name, sourceUuid, destinationUuid, cron, timeZone, jitter, maxLateness, compression, verifyPercent } =
    message;
  return {
    name,
    sourceUuid,
    destinationUuid,
    cron,
    timeZone,
    jitterMs: jitter === undefined ? 0 : durationMs(jitter),
    catchUp: nameOf(catchUps, message.catchUp, "catch_up"),
    maxLatenessMs: maxLateness === undefined ? 0 : durationMs(maxLateness),
    overlap: nameOf(overlaps, message.overlap, "overlap"),
    retention: fromRetention(message.retention),
    compression,
    verifyPercent,
    drillCron: message.drillCron,
    unreadable: toUnreadable(message.unreadable),
    beforeCommand: [...message.beforeCommand],
    afterCommand: [...message.afterCommand],
    isPaused: message.paused,
  };
}

/** The scheduler's state of a schedule. */
export interface ScheduleState {
  readonly nextMs: number | undefined;
  readonly lastGoodMs: number | undefined;
  readonly isOverdue: boolean;
}

export function toSchedule(schedule: Schedule, { nextMs, lastGoodMs, isOverdue }: ScheduleState): ScheduleMessage {
  const { uuid, name, sourceUuid, destinationUuid, cron, timeZone, jitterMs, maxLatenessMs, compression } = schedule;
  return create(ScheduleSchema, {
    uuid,
    name,
    sourceUuid,
    destinationUuid,
    cron,
    timeZone,
    ...(jitterMs > 0 && { jitter: durationFromMs(jitterMs) }),
    catchUp: catchUps[schedule.catchUp],
    ...(maxLatenessMs > 0 && { maxLateness: durationFromMs(maxLatenessMs) }),
    overlap: overlaps[schedule.overlap],
    retention: toRetention(schedule.retention),
    compression,
    verifyPercent: schedule.verifyPercent,
    drillCron: schedule.drillCron,
    unreadable: unreadables[schedule.unreadable],
    beforeCommand: [...schedule.beforeCommand],
    afterCommand: [...schedule.afterCommand],
    paused: schedule.isPaused,
    ...(nextMs !== undefined && { nextTime: timestampFromMs(nextMs) }),
    ...(lastGoodMs !== undefined && { lastGoodTime: timestampFromMs(lastGoodMs) }),
    overdue: isOverdue,
    etag: itemEtag(schedule),
  });
}

export function fromRetention(message: Retention | undefined): RetentionPolicy {
  if (message === undefined) return {};
  const { last, hourly, daily, weekly, monthly, yearly, within, keepTags } = message;
  return {
    last,
    hourly,
    daily,
    weekly,
    monthly,
    yearly,
    ...(within !== undefined && { withinMs: durationMs(within) }),
    keepTags: [...keepTags],
  };
}

function toRetention({ withinMs, keepTags = [], ...counts }: RetentionPolicy): Retention {
  return create(RetentionSchema, {
    ...counts,
    ...(withinMs !== undefined && { within: durationFromMs(withinMs) }),
    keepTags: [...keepTags],
  });
}
