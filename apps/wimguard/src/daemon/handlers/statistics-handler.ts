import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { PageTokens } from "@tercel/aip";
import { pageSizeOf } from "../../catalog/search-rows.ts";
import { fail } from "../../failure/failure.ts";
import {
  type Dashboard,
  DashboardSchema,
  type Day,
  DaySchema,
  type Statistics,
  StatisticsSchema,
  type StatisticsService,
} from "../../gen/wimguard/v1/statistics_pb.ts";
import { localZone, parseCron } from "../../schedule/cron-times.ts";
import { countDays, countRuns, type DayCounts, type RunCounts } from "../../statistics/count-runs.ts";
import { createOverview, type DashboardParts } from "../../statistics/dashboard.ts";
import { answering } from "./failing.ts";
import { toRunMessage } from "./run-message.ts";
import { toSchedule } from "./schedule-message.ts";
import { WatcherLimit } from "./watcher-limit.ts";

export interface StatisticsHandlerParts extends DashboardParts {
  /** Page tokens: the cursor is the number of days on earlier pages. */
  readonly tokens: PageTokens<number>;
}

/** Minimum interval between two dashboards. */
const minIntervalMs = 1_000;

/** Creates the handlers of wimguard.v1.StatisticsService. */
export function createStatisticsHandler(parts: StatisticsHandlerParts): ServiceImpl<typeof StatisticsService> {
  const { runs, runStore, schedules, tokens } = parts;
  const watchers = new WatcherLimit();

  function checkUuid(uuid: string): string {
    if (uuid === "" || schedules.get(uuid) !== undefined) return uuid;
    const shown = JSON.stringify(uuid.slice(0, 64));
    fail({ reason: "ITEM_NOT_FOUND", uuid: uuid.slice(0, 64), message: `schedule ${shown} not found` });
  }

  return {
    getStatistics: ({ from, to, scheduleUuid }) =>
      answering(() => {
        const range = { fromMs: msOf(from, 0), toMs: msOf(to, Number.MAX_SAFE_INTEGER) };
        return toStatistics(countRuns(runStore.between({ ...range, scheduleUuid: checkUuid(scheduleUuid) })));
      }),

    getDashboard: () => answering(() => toDashboard(parts)),

    listDailyStatistics: (request) =>
      answering(() => {
        const scheduleUuid = checkUuid(request.scheduleUuid);
        const timeZone = request.timeZone === "" ? localZone() : request.timeZone;
        // Validates the zone.
        parseCron("0 0 * * *", timeZone, "time_zone");
        const limit = pageSizeOf(request.pageSize);
        const query = [scheduleUuid, timeZone];
        const skip = tokens.read(query, request.pageToken) ?? 0;
        const days = countDays(runStore.between({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, scheduleUuid }), timeZone);
        const next = skip + limit;
        return {
          days: days.slice(skip, next).map(toDay),
          nextPageToken: next < days.length ? tokens.create(query, next) : "",
        };
      }),

    async *watchStatistics(_, { signal }) {
      watchers.enter();
      try {
        for await (const _change of runs.changes(minIntervalMs, signal)) yield answering(() => toDashboard(parts));
        throw signal.reason;
      } finally {
        watchers.leave();
      }
    },
  };
}

function msOf(time: Timestamp | undefined, fallback: number): number {
  return time === undefined ? fallback : timestampMs(time);
}

function toDashboard(parts: StatisticsHandlerParts): Dashboard {
  const { sentence, cards, running, lastDrillMs } = createOverview(parts);
  return create(DashboardSchema, {
    sentence,
    cards: cards.map(({ schedule, state, lastMs, nextMs, lastGoodMs, protectedBytes, days }) => ({
      schedule: toSchedule(schedule, { nextMs, lastGoodMs, isOverdue: state === "overdue" }),
      state,
      ...(lastMs !== undefined && { last: timestampFromMs(lastMs) }),
      ...(nextMs !== undefined && { next: timestampFromMs(nextMs) }),
      protectedBytes: BigInt(protectedBytes),
      days: days.map(toDay),
    })),
    running: running.map(toRunMessage),
    ...(lastDrillMs !== undefined && { lastDrill: timestampFromMs(lastDrillMs) }),
  });
}

function toDay({ date, counts }: DayCounts): Day {
  return create(DaySchema, { date, statistics: toStatistics(counts) });
}

function toStatistics(counts: RunCounts): Statistics {
  return create(StatisticsSchema, {
    runs: BigInt(counts.runs),
    completed: BigInt(counts.completed),
    warned: BigInt(counts.warned),
    failed: BigInt(counts.failed),
    sourceBytes: BigInt(counts.sourceBytes),
    storedBytes: BigInt(counts.storedBytes),
    snapshots: BigInt(counts.snapshots),
    runSeconds: counts.seconds,
    verifiedBytes: BigInt(counts.verifiedBytes),
    drills: BigInt(counts.drills),
    drillsFailed: BigInt(counts.drillsFailed),
  });
}
