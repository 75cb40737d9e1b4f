import { clone } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask, matchesFilter, type PageTokens, parseFilter } from "@tercel/aip";
import type { BackupRequest, BackupService } from "../../backup/backup-service.ts";
import type { BackupStore } from "../../catalog/backup-store.ts";
import { type ListPage, type ListRequest, pageSizeOf } from "../../catalog/search-rows.ts";
import { fail } from "../../failure/failure.ts";
import type { Run } from "../../gen/wimguard/v1/common_pb.ts";
import {
  type Schedule as ScheduleMessage,
  ScheduleSchema,
  type ScheduleService,
} from "../../gen/wimguard/v1/schedule_pb.ts";
import type { ItemService } from "../../registry/item-service.ts";
import { isEmptyPolicy } from "../../retention/retention.ts";
import type { RunLogStore } from "../../runs/run-log-store.ts";
import type { LiveRun, RunRegistry } from "../../runs/run-registry.ts";
import { runTable, type StartingRequest, type StoredRun } from "../../runs/run-store.ts";
import type { StartedRequests } from "../../runs/start-once.ts";
import { watchRuns } from "../../runs/watch-runs.ts";
import { parseCron } from "../../schedule/cron-times.ts";
import { cronWords } from "../../schedule/cron-words.ts";
import type { RetentionService } from "../../schedule/retention-service.ts";
import type { Schedule } from "../../schedule/schedule-item.ts";
import type { Scheduler } from "../../schedule/scheduler.ts";
import { answering, failing } from "./failing.ts";
import { toRunMessage } from "./run-message.ts";
import { fromRetention, fromSchedule, toSchedule, toUnreadable } from "./schedule-message.ts";
import { WatcherLimit } from "./watcher-limit.ts";

export interface ScheduleHandlerParts {
  readonly schedules: ItemService<Schedule>;
  readonly scheduler: Scheduler;
  readonly retention: RetentionService;
  readonly store: BackupStore;
  readonly backups: BackupService;
  readonly runs: RunRegistry;
  readonly logs: RunLogStore;
  /** Page tokens of logs: the cursor is the number of the last entry. */
  readonly tokens: PageTokens<number>;
  readonly requests: StartedRequests;
  readonly listRuns: (request: ListRequest) => ListPage<StoredRun>;
  newUuid(): string;
  nowMs(): number;
}

const outputOnly = ["uuid", "etag", "next_time", "last_good_time", "overdue"];
const defaultTimes = 5;
const maxTimes = 100;

/** Creates the handlers of wimguard.v1.ScheduleService. */
export function createScheduleHandler(parts: ScheduleHandlerParts): ServiceImpl<typeof ScheduleService> {
  const { schedules, scheduler, retention, store, backups, runs, logs, tokens, requests, listRuns } = parts;
  const watchers = new WatcherLimit();

  const toMessage = (schedule: Schedule): ScheduleMessage =>
    toSchedule(schedule, {
      nextMs: schedule.uuid === "" ? undefined : scheduler.nextOf(schedule),
      lastGoodMs: store.lastGoodOf(schedule.uuid),
      isOverdue: schedule.uuid !== "" && scheduler.isOverdue(schedule),
    });

  function setPaused(uuid: string, isPaused: boolean): ScheduleMessage {
    const before = schedules.get(uuid);
    if (before.isPaused === isPaused) return toMessage(before);
    const schedule = schedules.update(uuid, "", { ...before, isPaused });
    // Times during the pause do not count as missed.
    if (!isPaused) scheduler.begin(schedule);
    return toMessage(schedule);
  }

  return {
    createSchedule: ({ schedule, requestId, validateOnly }) =>
      answering(() => {
        const made = schedules.create(fromSchedule(required(schedule)), requestId, validateOnly);
        if (!validateOnly && !scheduler.hasBegun(made)) scheduler.begin(made);
        return toMessage(made);
      }),
    getSchedule: ({ uuid }) => answering(() => toMessage(schedules.get(uuid))),
    listSchedules: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = schedules.list(request);
        return { schedules: items.map(toMessage), nextPageToken, totalSize: BigInt(total) };
      }),
    updateSchedule: ({ schedule, updateMask, validateOnly }) =>
      answering(() => {
        const change = required(schedule);
        const before = schedules.get(change.uuid);
        const updated = clone(ScheduleSchema, toMessage(before));
        applyFieldMask(ScheduleSchema, updated, change, updateMask, { outputOnly });
        const after = schedules.update(change.uuid, change.etag, fromSchedule(updated), validateOnly);
        const hasOtherTimes = after.cron !== before.cron || after.timeZone !== before.timeZone;
        const isResumed = before.isPaused && !after.isPaused;
        if (!validateOnly && (hasOtherTimes || isResumed)) scheduler.begin(after);
        return toMessage(after);
      }),
    deleteSchedule: ({ uuid, etag }) =>
      answering(() => {
        schedules.delete(uuid, etag);
        scheduler.forget(uuid);
        return {};
      }),
    pauseSchedule: ({ uuid }) => answering(() => setPaused(uuid, true)),
    resumeSchedule: ({ uuid }) => answering(() => setPaused(uuid, false)),

    runSchedule: ({ uuid, requestId }) =>
      failing(async () => {
        const schedule = schedules.get(uuid);
        return startOnce(requestId, { schedule: uuid }, (startedBy) => scheduler.start(schedule, startedBy));
      }),

    previewSchedule: ({ schedule, count }) =>
      answering(() => {
        const { cron, timeZone } = required(schedule);
        const times = parseCron(cron, timeZone, "schedule.cron");
        const found: number[] = [];
        const wanted = count <= 0 ? defaultTimes : Math.min(count, maxTimes);
        for (
          let next = times.next(parts.nowMs());
          next !== undefined && found.length < wanted;
          next = times.next(next)
        ) {
          found.push(next);
        }
        const zone = timeZone === "" ? "" : ` (${timeZone})`;
        return { times: found.map(timestampFromMs), words: `${cronWords(cron)}${zone}` };
      }),

    explainRetention: ({ scheduleUuid, retention: other }) =>
      answering(() => {
        const schedule = getFor(scheduleUuid);
        const policy = other === undefined ? schedule.retention : fromRetention(other);
        const { verdicts, freedBytes } = retention.explain(schedule, policy);
        return {
          verdicts: verdicts.map(({ uuid, keep, reasons }) => ({ snapshotUuid: uuid, keep, reasons: [...reasons] })),
          freedBytes: BigInt(freedBytes),
        };
      }),

    async *applyRetention({ scheduleUuid, requestId }) {
      yield await failing(() =>
        startOnce(requestId, { retention: scheduleUuid }, async (request) => {
          const schedule = getFor(scheduleUuid);
          if (isEmptyPolicy(schedule.retention)) retention.explain(schedule, schedule.retention);
          const { kept, dropped } = retention.apply(schedule);
          const message = `${kept} kept; ${dropped} dropped and deleted after a day`;
          const end = { scheduleUuid, state: "completed", message, ...(request !== undefined && { request }) } as const;
          return runs.record(parts.newUuid(), "retention", end);
        }),
      );
    },

    startRun: ({ backup, requestId, excludes, tags, unreadable }) =>
      failing(async () => {
        if (backup === undefined) fail({ reason: "FIELD_REQUIRED", field: "backup", message: "backup is required" });
        const { source, destination, compression, description } = backup;
        const treatment = { unreadable: toUnreadable(unreadable), excludes, tags: { ...tags } };
        const request: BackupRequest = { source, destination, compression, description, ...treatment };
        return startOnce(requestId, request, async (startedBy) => {
          const { uuid } = await backups.start({ ...request, ...(startedBy !== undefined && { startedBy }) });
          return runs.get(uuid);
        });
      }),
    getRun: ({ uuid }) => answering(() => toRunMessage(runs.get(uuid))),
    listRuns: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = listRuns(request);
        return { runs: items.map((run) => toRunMessage(runs.live(run))), nextPageToken, totalSize: BigInt(total) };
      }),
    listRunLog: ({ uuid, pageSize, pageToken }) =>
      answering(() => {
        runs.get(uuid);
        const limit = pageSizeOf(pageSize);
        const found = logs.list(uuid, tokens.read(uuid, pageToken) ?? 0, limit + 1);
        const page = found.slice(0, limit);
        const entries = page.map(({ atMs, level, message }) => ({ time: timestampFromMs(atMs), level, message }));
        return { entries, nextPageToken: found.length > limit ? tokens.create(uuid, page.at(-1)?.seq ?? 0) : "" };
      }),

    cancelRun: ({ uuid }) => answering(() => toRunMessage(runs.cancel(uuid))),

    async *watchRuns({ filter, afterRevision }, { signal }) {
      const matches = answering(() => {
        const parsed = parseFilter(filter, runTable.fields);
        return (run: LiveRun) => filter === "" || matchesFilter(parsed, toRunMessage(run));
      });
      watchers.enter();
      try {
        for await (const change of watchRuns(runs, Number(afterRevision), matches, signal)) {
          yield change.kind === "run" ? { run: toRunMessage(change.run) } : { heartbeat: true };
        }
        if (signal.aborted) throw signal.reason;
      } finally {
        watchers.leave();
      }
    },
  };

  function getFor(uuid: string): Schedule {
    if (uuid === "") {
      fail({ reason: "FIELD_REQUIRED", field: "schedule_uuid", message: "schedule_uuid is required" });
    }
    return schedules.get(uuid);
  }

  /** Starts a run once per request id. */
  async function startOnce(
    requestId: string,
    content: object,
    start: (request: StartingRequest | undefined) => Promise<LiveRun>,
  ): Promise<Run> {
    const { run, started } = await requests.startOnce(requestId, content, start);
    return toRunMessage((run ?? started) as LiveRun);
  }
}

function required(schedule: ScheduleMessage | undefined): ScheduleMessage {
  return schedule ?? fail({ reason: "FIELD_REQUIRED", field: "schedule", message: "schedule is required" });
}
