import { durationMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { WimGuard } from "../client/connect.ts";
import { type Run, RunKindSchema, RunStateSchema } from "../gen/wimguard/v1/common_pb.ts";
import { CatchUp, OverlapSchema, type Schedule, UnreadableSchema } from "../gen/wimguard/v1/schedule_pb.ts";
import { formatBytes, formatCount, formatTable, formatTime } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { enumName } from "./enum-name.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { requireGood, runToEnd, statesOf } from "./follow-run.ts";
import { interruptible } from "./interruptible.ts";
import { noSuch, readSchedule, type ScheduleOptions } from "./schedule-input.ts";
import { withDaemon } from "./with-daemon.ts";

export interface RunListOptions extends CommonOptions {
  readonly filter?: string;
  readonly limit?: string;
}

const shownTimes = 5;
const maxPageSize = 1000;

/** `wimguard schedule create NAME`: creates a schedule and prints when it runs. */
export async function createSchedule(name: string, options: ScheduleOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { fields } = await readSchedule(wim, options);
    const made = await wim.schedule.createSchedule({ schedule: { name, ...fields } });
    await printTimes(wim, made, output);
    return exitCodes.ok;
  });
}

/** `wimguard schedule update NAME`: changes the settings that options name. */
export async function updateSchedule(name: string, options: ScheduleOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { uuid, etag } = await scheduleOf(wim, name);
    const { fields, paths } = await readSchedule(wim, options);
    if (paths.length === 0) throw new UsageError("nothing to change: pass the settings to change, such as --cron");
    const schedule = { uuid, etag, ...fields };
    await printTimes(wim, await wim.schedule.updateSchedule({ schedule, updateMask: { paths } }), output);
    return exitCodes.ok;
  });
}

async function printTimes(wim: WimGuard, schedule: Schedule, output: Console): Promise<void> {
  const { uuid, name } = schedule;
  const { words, times } = await wim.schedule.previewSchedule({ schedule, count: shownTimes });
  const lines = [`${name} runs ${words}:`, ...times.map((time) => `  ${formatTime(dateOf(time))}`)];
  output.result(lines.join("\n"), { uuid, name, words, times: times.map(dateOf) });
}

/** `wimguard schedule show NAME`: prints the settings and state of a schedule. */
export async function showSchedule(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const schedule = await scheduleOf(wim, name);
    const [source, destination, { words }] = await Promise.all([
      wim.registry.getSource({ uuid: schedule.sourceUuid }),
      wim.registry.getDestination({ uuid: schedule.destinationUuid }),
      wim.schedule.previewSchedule({ schedule, count: 1 }),
    ]);
    const { value, rows } = describeSchedule(schedule, { source: source.name, destination: destination.name, words });
    output.result(formatTable(rows), value);
    return exitCodes.ok;
  });
}

/** `wimguard schedule log RUN`: prints the log of a run. */
export async function runLog(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    let pageToken = "";
    do {
      const page = await wim.schedule.listRunLog({ uuid, pageSize: maxPageSize, pageToken });
      for (const { time, level, message } of page.entries) {
        const at = time === undefined ? "" : dateOf(time);
        output.line(`${at}  ${level.padEnd(7)}  ${message}`, { time: at, level, message });
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
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
      last === undefined ? "never" : formatTime(dateOf(last)),
      next === undefined ? "" : formatTime(dateOf(next)),
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

/** `wimguard schedule next NAME`: prints the next run times. */
export async function nextTimes(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    await printTimes(wim, await scheduleOf(wim, name), output);
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

/** `wimguard schedule run NAME`: starts a run and follows it to its end. */
export async function runSchedule(name: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { uuid } = await scheduleOf(wim, name);
    const started = await wim.schedule.runSchedule({ uuid });
    const run = await interruptible(
      async (signal) => requireGood(await runToEnd(statesOf(wim, started, signal), output)),
      () => output.note("the run continues without this command; cancel it with schedule cancel"),
    );
    if (run.message !== "") output.warning(run.message);
    output.result(describeRun(run), runToJson(run));
    return run.message === "" ? exitCodes.ok : exitCodes.warnings;
  });
}

/** `wimguard schedule retention NAME`: prints which snapshots are kept, and why, without changing anything. */
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
    const sum = `${formatCount(dropped, "snapshot")} would be deleted, which frees ${formatBytes(Number(freedBytes))}`;
    const shown = verdicts.map(({ snapshotUuid, keep, reasons }) => ({ snapshotUuid, keep, reasons }));
    output.result([...(rows.length > 0 ? [formatTable(rows)] : []), sum].join("\n"), {
      verdicts: shown,
      freedBytes: Number(freedBytes),
    });
    return exitCodes.ok;
  });
}

/** `wimguard schedule runs`: lists runs of all jobs, newest first. */
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

/** `wimguard schedule watch`: prints changes of all runs until Ctrl-C. */
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

/** `wimguard stats`: prints totals of all runs. */
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

/** Formats a schedule as text and as JSON. */
function describeSchedule(
  schedule: Schedule,
  { source, destination, words }: { readonly source: string; readonly destination: string; readonly words: string },
) {
  const { uuid, name, cron, timeZone, jitter, maxLateness, compression, verifyPercent, drillCron } = schedule;
  const { retention, paused, overdue, nextTime, lastGoodTime, beforeCommand, afterCommand } = schedule;
  const kept = Object.entries(retention ?? {}).filter(([, count]) => typeof count === "number" && count > 0);
  const value = {
    uuid,
    name,
    source,
    destination,
    cron,
    words,
    timeZone,
    jitterMs: jitter === undefined ? 0 : durationMs(jitter),
    maxLatenessMs: maxLateness === undefined ? 0 : durationMs(maxLateness),
    catchUp: schedule.catchUp !== CatchUp.NONE,
    overlap: enumName(OverlapSchema, schedule.overlap),
    unreadable: enumName(UnreadableSchema, schedule.unreadable),
    keep: Object.fromEntries(kept) as Record<string, number>,
    compression,
    verifyPercent,
    drillCron,
    beforeCommand,
    afterCommand,
    paused,
    overdue,
    next: nextTime === undefined ? "" : dateOf(nextTime),
    lastGood: lastGoodTime === undefined ? "" : dateOf(lastGoodTime),
  };
  const texts = {
    ...value,
    keep: kept.length === 0 ? "everything" : kept.map(([period, count]) => `${period}=${count}`).join(" "),
    beforeCommand: beforeCommand.join(" "),
    afterCommand: afterCommand.join(" "),
  };
  const rows = Object.entries(texts).map(([field, text]) => [field, String(text)]);
  return { value, rows: rows.filter(([, text]) => text !== "" && text !== "0" && text !== "false") };
}

/** Column widths: lines are printed one by one, so the widths are those of the longest words. */
const [kindWidth, stateWidth, bytesWidth] = ["retention".length, "completed".length, "999 MB".length];

function describeRun(run: Run): string {
  const { uuid, kind, state, createTime, progress, error, message } = run;
  const bytes = progress === undefined || progress.bytesTotal === 0n ? "" : formatBytes(Number(progress.bytesDone));
  const parts = [
    uuid,
    createTime === undefined ? "" : formatTime(dateOf(createTime)),
    enumName(RunKindSchema, kind).padEnd(kindWidth),
    enumName(RunStateSchema, state).padEnd(stateWidth),
    bytes.padStart(bytesWidth),
    error?.message ?? message,
  ];
  return parts.join("  ").trimEnd();
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
