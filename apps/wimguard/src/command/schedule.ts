import { durationFromMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { WimGuard } from "../client/connect.ts";
import { type Run, RunKindSchema, RunStateSchema } from "../gen/wimguard/v1/common_pb.ts";
import { CatchUp, Overlap, type Schedule } from "../gen/wimguard/v1/schedule_pb.ts";
import { formatBytes, formatCount, formatTable } from "../terminal/format.ts";
import { runToEnd } from "./check.ts";
import type { CommonOptions, Console } from "./console.ts";
import { enumName } from "./enum-name.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { parseDurationMs } from "./parse-duration.ts";
import { withDaemon } from "./with-daemon.ts";

export interface ScheduleOptions extends CommonOptions {
  readonly source: string;
  readonly destination: string;
  readonly cron: string;
  readonly zone?: string;
  readonly jitter?: string;
  readonly overlap?: string;
  /** False with `--no-catch-up`. */
  readonly catchUp?: boolean;
  readonly compression?: string;
  readonly keep?: readonly string[];
  readonly verify?: string;
  readonly drill?: string;
}

export interface RunListOptions extends CommonOptions {
  readonly filter?: string;
  readonly limit?: string;
}

const overlaps: Readonly<Record<string, Overlap>> = {
  skip: Overlap.SKIP,
  queue: Overlap.QUEUE,
  cancel: Overlap.CANCEL_RUNNING,
};
const periods = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];
const shownTimes = 5;

/** `wimguard schedule create NAME`: says when it runs, and what it keeps. */
export async function createSchedule(name: string, options: ScheduleOptions, output: Console): Promise<ExitCode> {
  const { cron, zone: timeZone = "", compression = "", drill: drillCron = "" } = options;
  const overlap = overlaps[options.overlap ?? "skip"];
  if (overlap === undefined)
    throw new UsageError(`invalid --overlap ${options.overlap}: use ${Object.keys(overlaps).join(", ")}`);
  const jitterMs = options.jitter === undefined ? 0 : parseDurationMs(options.jitter);
  if (jitterMs === undefined) throw new UsageError(`invalid --jitter ${options.jitter}: use a duration, such as 10m`);
  const retention = parseRetention(options.keep ?? []);
  const verifyPercent = Number.parseFloat(options.verify ?? "0");
  return withDaemon(options, async (wim) => {
    const [sourceUuid, destinationUuid] = await Promise.all([
      uuidOf(options.source, "source", async (filter) => (await wim.registry.listSources({ filter })).sources),
      uuidOf(
        options.destination,
        "destination",
        async (filter) => (await wim.registry.listDestinations({ filter })).destinations,
      ),
    ]);
    const schedule = {
      name,
      sourceUuid,
      destinationUuid,
      cron,
      timeZone,
      overlap,
      compression,
      drillCron,
      retention,
      verifyPercent,
      catchUp: options.catchUp === false ? CatchUp.NONE : CatchUp.LATEST,
      ...(jitterMs > 0 && { jitter: durationFromMs(jitterMs) }),
    };
    const made = await wim.schedule.createSchedule({ schedule });
    const { words, times } = await wim.schedule.previewSchedule({ schedule, count: shownTimes });
    const lines = [`${name} runs ${words}:`, ...times.map((time) => `  ${dateOf(time)}`)];
    output.result(lines.join("\n"), { uuid: made.uuid, name, words, times: times.map(dateOf) });
    return exitCodes.ok;
  });
}

/** `wimguard schedule list`. */
export async function listSchedules(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { cards } = await wim.statistics.getDashboard({});
    const rows = cards.map(({ schedule, state, last, next }) => [
      schedule?.name ?? "",
      state,
      last === undefined ? "never" : dateOf(last),
      next === undefined ? "" : dateOf(next),
      schedule?.cron ?? "",
    ]);
    const shown = cards.map(({ schedule, state, last, next }) => ({
      uuid: schedule?.uuid,
      name: schedule?.name,
      state,
      ...(last !== undefined && { last: dateOf(last) }),
      ...(next !== undefined && { next: dateOf(next) }),
    }));
    const text =
      rows.length === 0 ? "no schedules yet" : formatTable([["NAME", "STATE", "LAST", "NEXT", "CRON"], ...rows]);
    output.result(text, { schedules: shown });
    return exitCodes.ok;
  });
}

/** `wimguard schedule next NAME`: the next times. */
export async function nextTimes(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const schedule = await scheduleOf(wim, name);
    const { words, times } = await wim.schedule.previewSchedule({ schedule });
    output.result([`${name} runs ${words}:`, ...times.map((time) => `  ${dateOf(time)}`)].join("\n"), {
      words,
      times: times.map(dateOf),
    });
    return exitCodes.ok;
  });
}

/** `wimguard schedule pause`, `resume` and `delete`. */
export async function changeSchedule(
  verb: "pause" | "resume" | "delete",
  name: string,
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { uuid, etag } = await scheduleOf(wim, name);
    if (verb === "pause") await wim.schedule.pauseSchedule({ uuid });
    else if (verb === "resume") await wim.schedule.resumeSchedule({ uuid });
    else await wim.schedule.deleteSchedule({ uuid, etag });
    const done = { pause: "paused", resume: "resumed", delete: "deleted; its backups are kept" }[verb];
    output.result(`${name} is ${done}`, { uuid, name, done: verb });
    return exitCodes.ok;
  });
}

/** `wimguard schedule run NAME`: starts it now, and follows it to its end. */
export async function runSchedule(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { uuid } = await scheduleOf(wim, name);
    const { uuid: runUuid } = await wim.schedule.runSchedule({ uuid });
    const run = await interruptible(
      (signal) => runToEnd(statesOf(wim, runUuid, signal), output),
      () => output.note("the run continues without this command; schedule cancel ends it"),
    );
    if (run.message !== "") output.warning(run.message);
    if (run.error !== undefined) {
      output.error(new Error(run.error.message));
      return exitCodes.failed;
    }
    output.result(describeRun(run), runToJson(run));
    return run.message === "" ? exitCodes.ok : exitCodes.warnings;
  });
}

/** States of one run until it has ended. */
async function* statesOf(wim: WimGuard, uuid: string, signal: AbortSignal): AsyncGenerator<Run> {
  for await (const { run } of wim.schedule.watchRuns({}, { signal })) if (run?.uuid === uuid) yield run;
}

/** `wimguard schedule retention NAME`: what is kept, and why; nothing is changed. */
export async function explainRetention(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { uuid } = await scheduleOf(wim, name);
    const { verdicts, freedBytes } = await wim.schedule.explainRetention({ scheduleUuid: uuid });
    const rows = verdicts.map(({ snapshotUuid, keep, reasons }) => [
      snapshotUuid,
      keep ? "keep" : "drop",
      reasons.join(", "),
    ]);
    const dropped = verdicts.filter(({ keep }) => !keep).length;
    const sum = `${formatCount(dropped, "snapshot")} would be dropped, which frees ${formatBytes(Number(freedBytes))}`;
    const shown = verdicts.map(({ snapshotUuid, keep, reasons }) => ({ snapshotUuid, keep, reasons }));
    output.result([...(rows.length > 0 ? [formatTable(rows)] : []), sum].join("\n"), {
      verdicts: shown,
      freedBytes: Number(freedBytes),
    });
    return exitCodes.ok;
  });
}

/** `wimguard schedule runs`: runs of all jobs, newest first. */
export async function listRuns(options: RunListOptions, output: Console): Promise<ExitCode> {
  const { filter = "", limit = "20" } = options;
  if (!/^\d{1,4}$/.test(limit)) throw new UsageError(`invalid --limit ${JSON.stringify(limit)}: use 0 to 1000`);
  return withDaemon(options, async (wim) => {
    const { runs } = await wim.schedule.listRuns({ filter, pageSize: Number(limit) });
    if (runs.length === 0) output.note("no runs found");
    for (const run of runs) output.line(describeRun(run), runToJson(run));
    return exitCodes.ok;
  });
}

/** `wimguard schedule watch`: every change of any run, until Ctrl-C. */
export async function watchRuns(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    await interruptible(
      async (signal) => {
        for await (const { run } of wim.schedule.watchRuns({}, { signal })) {
          if (run !== undefined) output.line(describeRun(run), runToJson(run));
        }
      },
      () => {},
    );
    return exitCodes.ok;
  });
}

/** `wimguard schedule cancel RUN`. */
export async function cancelRun(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    await wim.schedule.cancelRun({ uuid });
    output.result(`cancelling ${uuid}`, { uuid });
    return exitCodes.ok;
  });
}

/** `wimguard stats`: runs and bytes of all time. */
export async function statistics(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const [{ sentence }, all] = await Promise.all([wim.statistics.getDashboard({}), wim.statistics.getStatistics({})]);
    const { $typeName: _, $unknown: __, ...fields } = all;
    const counts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Number(value)]));
    const rows = [
      ["runs", `${all.runs}: ${all.completed} completed, ${all.warned} with warnings, ${all.failed} failed`],
      [
        "snapshots",
        `${all.snapshots}, of ${formatBytes(Number(all.sourceBytes))} in ${formatBytes(Number(all.storedBytes))}`,
      ],
      ["proved", `${formatBytes(Number(all.verifiedBytes))}; ${all.drills} drills, ${all.drillsFailed} failed`],
    ];
    output.result(`${sentence}\n${formatTable(rows)}`, { sentence, ...counts });
    return exitCodes.ok;
  });
}

async function scheduleOf(wim: WimGuard, name: string): Promise<Schedule> {
  const { schedules } = await wim.schedule.listSchedules({ filter: `name = ${JSON.stringify(name)}` });
  return schedules[0] ?? noSuch("schedule", name);
}

async function uuidOf(
  name: string,
  noun: string,
  find: (filter: string) => Promise<readonly { readonly uuid: string }[]>,
): Promise<string> {
  const [found] = await find(`name = ${JSON.stringify(name)}`);
  return found?.uuid ?? noSuch(noun, name);
}

function noSuch(noun: string, name: string): never {
  throw new UsageError(`${noun} ${JSON.stringify(name)} not found`);
}

/** `daily=7` and the like. */
function parseRetention(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, period = "", count = ""] = /^([a-z]+)=(\d{1,6})$/.exec(text) ?? [];
      if (!periods.includes(period))
        throw new UsageError(`invalid --keep ${JSON.stringify(text)}: use daily=7, or ${periods.join(", ")}`);
      return [period, Number(count)];
    }),
  );
}

function describeRun(run: Run): string {
  const { uuid, kind, state, createTime, progress, error, message } = run;
  const bytes = progress === undefined || progress.bytesTotal === 0n ? "" : formatBytes(Number(progress.bytesDone));
  const parts = [
    uuid,
    createTime === undefined ? "" : dateOf(createTime),
    enumName(RunKindSchema, kind),
    enumName(RunStateSchema, state),
    bytes,
    error?.message ?? message,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function runToJson({ uuid, kind, state, scheduleUuid, subjectUuid, createTime, progress, error, message }: Run) {
  return {
    uuid,
    kind: enumName(RunKindSchema, kind),
    state: enumName(RunStateSchema, state),
    scheduleUuid,
    subjectUuid,
    created: createTime === undefined ? "" : dateOf(createTime),
    bytesDone: Number(progress?.bytesDone ?? 0),
    bytesTotal: Number(progress?.bytesTotal ?? 0),
    phase: progress?.phase ?? "",
    ...(error !== undefined && { error: error.message }),
    message,
  };
}

function dateOf(time: Timestamp): string {
  return timestampDate(time).toISOString();
}
