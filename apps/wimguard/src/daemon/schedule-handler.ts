import { createHash } from "node:crypto";
import { clone } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask, matchesFilter, parseFilter } from "@tercel/aip";
import type { BackupRequest, BackupService } from "../backup/backup-service.ts";
import type { BackupStore } from "../catalog/backup-store.ts";
import type { ListPage, ListRequest } from "../catalog/search-rows.ts";
import { fail } from "../failure/failure.ts";
import {
  type Schedule as ScheduleMessage,
  ScheduleSchema,
  type ScheduleService,
} from "../gen/wimguard/v1/schedule_pb.ts";
import type { ItemService } from "../registry/item-service.ts";
import { isEmptyPolicy } from "../retention/retention.ts";
import type { LiveRun, RunRegistry } from "../runs/run-registry.ts";
import { runTable, type StartingRequest, type StoredRun } from "../runs/run-store.ts";
import { watchRuns } from "../runs/watch-runs.ts";
import { parseCron } from "../schedule/cron-times.ts";
import { cronWords } from "../schedule/cron-words.ts";
import type { RetentionService } from "../schedule/retention-service.ts";
import type { Schedule } from "../schedule/schedule-item.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import { answering, failing } from "./failing.ts";
import { toRunMessage } from "./run-message.ts";
import { fromRetention, fromSchedule, toSchedule } from "./schedule-message.ts";

export interface ScheduleHandlerParts {
  readonly schedules: ItemService<Schedule>;
  readonly scheduler: Scheduler;
  readonly retention: RetentionService;
  readonly store: BackupStore;
  readonly backups: BackupService;
  readonly runs: RunRegistry;
  readonly listRuns: (request: ListRequest) => ListPage<StoredRun>;
  newUuid(): string;
  nowMs(): number;
}

const outputOnly = ["uuid", "etag", "next_time", "last_good_time", "overdue"];
const defaultTimes = 5;
const maxTimes = 100;
const maxWatchers = 64;
const maxRequestIdCharacters = 128;

/** Creates the handlers of wimguard.v1.ScheduleService. */
export function createScheduleHandler(parts: ScheduleHandlerParts): ServiceImpl<typeof ScheduleService> {
  const { schedules, scheduler, retention, store, backups, runs, listRuns } = parts;
  let watchers = 0;

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
    // What it has not done while it was paused was not missed.
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
        return startOnce(requestId, { schedule: uuid }, (request) => scheduler.start(schedule, request));
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

    async *applyRetention({ scheduleUuid }) {
      yield answering(() => {
        const schedule = getFor(scheduleUuid);
        if (isEmptyPolicy(schedule.retention)) retention.explain(schedule, schedule.retention);
        const { kept, dropped } = retention.apply(schedule);
        const message = `${kept} kept; ${dropped} dropped, to be deleted after a day`;
        const end = { scheduleUuid, state: "completed", message } as const;
        return toRunMessage(runs.record(parts.newUuid(), "retention", end));
      });
    },

    startRun: ({ backup, requestId }) =>
      failing(async () => {
        if (backup === undefined) fail({ reason: "FIELD_REQUIRED", field: "backup", message: "backup is required" });
        const { source, destination, compression, description } = backup;
        const request: BackupRequest = { source, destination, compression, description };
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
    cancelRun: ({ uuid }) => answering(() => toRunMessage(runs.cancel(uuid))),

    async *watchRuns({ filter, afterRevision }, { signal }) {
      const matches = answering(() => {
        const parsed = parseFilter(filter, runTable.fields);
        return (run: LiveRun) => filter === "" || matchesFilter(parsed, toRunMessage(run));
      });
      if (watchers >= maxWatchers) {
        const message = `${maxWatchers} clients watch already: repeat this later`;
        answering(() => fail({ reason: "QUEUE_FULL", retryAfterMs: 10_000, message }));
      }
      watchers++;
      try {
        for await (const change of watchRuns(runs, Number(afterRevision), matches, signal)) {
          yield change.kind === "run" ? { run: toRunMessage(change.run) } : { heartbeat: true };
        }
        if (signal.aborted) throw signal.reason;
      } finally {
        watchers--;
      }
    },
  };

  function getFor(uuid: string): Schedule {
    if (uuid === "") {
      fail({ reason: "FIELD_REQUIRED", field: "schedule_uuid", message: "schedule_uuid is required" });
    }
    return schedules.get(uuid);
  }

  /** The same request gets the run that it has started. */
  async function startOnce(
    requestId: string,
    content: object,
    start: (request: StartingRequest | undefined) => Promise<LiveRun>,
  ) {
    if (requestId === "") return toRunMessage(await start(undefined));
    if (requestId.length > maxRequestIdCharacters) {
      const message = `request_id is longer than ${maxRequestIdCharacters} characters`;
      fail({ reason: "FIELD_INVALID", field: "request_id", message });
    }
    const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
    const before = runs.findByRequest(requestId);
    if (before === undefined) return toRunMessage(await start({ id: requestId, digest }));
    if (before.digest === digest) return toRunMessage(before.run);
    const message = `request_id ${requestId} was used for another run: choose a new one`;
    fail({ reason: "REQUEST_ID_REUSED", message });
  }
}

function required(schedule: ScheduleMessage | undefined): ScheduleMessage {
  return schedule ?? fail({ reason: "FIELD_REQUIRED", field: "schedule", message: "schedule is required" });
}
