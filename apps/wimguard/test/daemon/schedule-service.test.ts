import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { type Run, RunKind, RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { Overlap, Unreadable } from "../../src/gen/wimguard/v1/schedule_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { makeFolders } from "./daemon-process.ts";
import { type HeldTar, makeHeldTar, useHeldTar } from "./held-tar.ts";
import { untilEnded } from "./running-backup.ts";

const hourSeconds = 3600n;

describe("ScheduleService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let tar: HeldTar;
  let [sourceUuid, destinationUuid] = ["", ""];
  before(async () => {
    const folders = makeFolders(context);
    tar = makeHeldTar(context, folders.data);
    useHeldTar(context, tar);
    daemon = await startInProcess(context, { folders });
    const { source, destinations } = folders;
    writeFileSync(join(source, "file"), "content\n");
    const { registry } = daemon.client;
    sourceUuid = (await registry.createSource({ source: { name: "work", path: source } })).uuid;
    const destination = { name: "disk", url: destinations, template: "{name}-{date}-{time}.tar" };
    destinationUuid = (await registry.createDestination({ destination })).uuid;
  });
  after(() => context.clean());
  afterEach(() => tar.release());

  const client = () => daemon.client.schedule;
  /** The minute before now: its next time is within the hour. */
  const base = () => ({ sourceUuid, destinationUuid, cron: "30 2 * * *", timeZone: "Europe/Berlin" });
  const create = (name: string, more: object = {}) =>
    client().createSchedule({ schedule: { name, ...base(), ...more } });

  it("creates, shows, changes, pauses and deletes schedules", async () => {
    const schedule = { name: "nightly", ...base(), retention: { daily: 7 }, jitter: { seconds: 60n } };
    const made = await client().createSchedule({ schedule, requestId: "one" });
    assert.deepEqual(
      [made.name, made.overlap, made.unreadable, made.retention?.daily, made.paused, made.overdue],
      ["nightly", Overlap.SKIP, Unreadable.SKIP, 7, false, false],
    );
    assert.ok(Number(made.nextTime?.seconds) * 1000 > Date.now());
    assert.equal((await client().createSchedule({ schedule, requestId: "one" })).uuid, made.uuid);
    const checked = await client().createSchedule({ schedule: { ...schedule, name: "other" }, validateOnly: true });
    assert.equal(checked.uuid, "");

    const { uuid, etag } = made;
    const updated = await client().updateSchedule({
      schedule: { uuid, etag, cron: "0 6 * * 1" },
      updateMask: { paths: ["cron"] },
    });
    assert.deepEqual([updated.cron, updated.retention?.daily], ["0 6 * * 1", 7]);
    await assertStatus(client().updateSchedule({ schedule: { uuid, etag, name: "x" } }), Code.Aborted);
    assert.equal((await client().pauseSchedule({ uuid })).nextTime, undefined);
    assert.equal((await client().resumeSchedule({ uuid })).paused, false);
    assert.deepEqual((await client().listSchedules({ filter: "name = nightly" })).totalSize, 1n);
    await client().deleteSchedule({ uuid });
    await assertStatus(client().getSchedule({ uuid }), Code.NotFound, { reason: "ITEM_NOT_FOUND" });
  });

  for (const [what, more, reason, field] of [
    ["no source", { sourceUuid: "" }, "FIELD_REQUIRED", "schedule.source_uuid"],
    ["a destination that is not there", { destinationUuid: "x" }, "FIELD_INVALID", "schedule.destination_uuid"],
    ["cron nonsense", { cron: "x" }, "CRON_INVALID", "schedule.cron"],
    ["a time that never comes", { cron: "0 0 31 2 *" }, "CRON_INVALID", "schedule.cron"],
    ["a zone that is none", { timeZone: "Mars/Base" }, "CRON_INVALID", "schedule.time_zone"],
    ["a percentage above 100", { verifyPercent: 101 }, "FIELD_INVALID", "schedule.verify_percent"],
    ["a command by its name only", { beforeCommand: ["rm"] }, "FIELD_INVALID", "schedule.before_command"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assertStatus(create("refused", more), Code.InvalidArgument, { reason, fields: [field] });
    });
  }

  it("shows the next times, in words", async () => {
    const { times, words } = await client().previewSchedule({ schedule: base() });
    assert.equal(words, "every day at 02:30 (Europe/Berlin)");
    assert.equal(times.length, 5);
    for (const [at, time] of times.entries()) {
      const step = time.seconds - (times[at - 1]?.seconds ?? time.seconds - 24n * hourSeconds);
      assert.ok(step >= 23n * hourSeconds && step <= 25n * hourSeconds);
    }
  });

  it("runs a schedule with its commands, once for each request", async () => {
    const { data, destinations } = daemon.folders;
    const log = join(data, "commands");
    const command = ["/bin/sh", "-c", `echo "$WIMGUARD_STATE" >> '${log}'`];
    const { uuid } = await create("commands", { beforeCommand: command, afterCommand: command });
    const run = await client().runSchedule({ uuid, requestId: "run" });
    assert.equal((await client().runSchedule({ uuid, requestId: "run" })).uuid, run.uuid);
    assert.equal(await untilEnded(daemon, run.uuid), "completed");
    const ended = await client().getRun({ uuid: run.uuid });
    assert.deepEqual(
      [ended.kind, ended.state, ended.scheduleUuid, ended.progress?.bytesDone],
      [RunKind.BACKUP, RunState.COMPLETED, uuid, 8n],
    );
    assert.equal(readdirSync(destinations).length, 1);
    assert.equal((await daemon.client.snapshot.getSnapshot({ uuid: run.uuid })).scheduleUuid, uuid);
    assert.ok((await client().getSchedule({ uuid })).lastGoodTime !== undefined);
    while (!existsSync(log) || readFileSync(log, "utf8").split("\n").length < 3)
      await new Promise((wake) => setImmediate(wake));
    assert.equal(readFileSync(log, "utf8"), "starting\ncompleted\n");

    const failing = await create("failing", { beforeCommand: ["/bin/false"] });
    await assertStatus(client().runSchedule({ uuid: failing.uuid }), Code.FailedPrecondition, {
      reason: "COMMAND_FAILED",
    });
    await daemon.client.backup.deleteBackup({ uuid: run.uuid });
  });

  it("starts backups that outlive their call, shows how far they are, and cancels them", async () => {
    const { source, destinations } = daemon.folders;
    tar.hold();
    const backup = { source, destination: join(destinations, "held.tar") };
    const run = await client().startRun({ backup, requestId: "held" });
    assert.equal((await client().startRun({ backup, requestId: "held" })).uuid, run.uuid);
    await assertStatus(
      client().startRun({ backup: { ...backup, source: "/" }, requestId: "held" }),
      Code.AlreadyExists,
      {
        reason: "REQUEST_ID_REUSED",
      },
    );
    const controller = new AbortController();
    const seen: Run[] = [];
    await assert.rejects(async () => {
      for await (const event of client().watchRuns(
        { filter: `kind = RUN_KIND_BACKUP` },
        { signal: controller.signal },
      )) {
        if (event.run?.uuid !== run.uuid) continue;
        seen.push(event.run);
        if (event.run.progress?.phase === "reading") await client().cancelRun({ uuid: run.uuid });
        if (event.run.state === RunState.CANCELLED) controller.abort();
      }
    });
    assert.equal(seen.at(-1)?.state, RunState.CANCELLED);
    assert.ok(seen.every((one, at) => one.revision > (seen[at - 1]?.revision ?? 0n)));
    assert.deepEqual(readdirSync(destinations), []);
    const { runs } = await client().listRuns({ filter: "state = RUN_STATE_CANCELLED" });
    assert.deepEqual(
      runs.map(({ uuid }) => uuid),
      [run.uuid],
    );
    await assertStatus(client().getRun({ uuid: "c0ffee" }), Code.NotFound, { reason: "RUN_NOT_FOUND" });
  });

  it("says why retention keeps what it keeps, and drops the rest after a day", async () => {
    const { uuid } = await create("kept", { retention: { last: 1 } });
    const runs = [];
    for (const at of [1, 2]) {
      const template = `{name}-${at}.tar`;
      await daemon.client.registry.updateDestination({
        destination: { uuid: destinationUuid, template },
        updateMask: { paths: ["template"] },
      });
      const run = await client().runSchedule({ uuid });
      await untilEnded(daemon, run.uuid);
      runs.push(run.uuid);
    }
    const [old = "", young = ""] = runs;
    const { verdicts, freedBytes } = await client().explainRetention({ scheduleUuid: uuid });
    assert.deepEqual(
      verdicts.map(({ snapshotUuid, keep, reasons }) => [snapshotUuid, keep, reasons]),
      [
        [old, false, []],
        [young, true, ["last 1 of 1", "newest good snapshot"]],
      ],
    );
    assert.ok(freedBytes > 0n);
    await assertStatus(client().explainRetention({ scheduleUuid: uuid, retention: {} }), Code.FailedPrecondition, {
      reason: "RETENTION_UNSAFE",
    });
    const applied: Run[] = [];
    for await (const run of client().applyRetention({ scheduleUuid: uuid })) applied.push(run);
    assert.deepEqual(
      applied.map(({ kind, state, message }) => [kind, state, message]),
      [[RunKind.RETENTION, RunState.COMPLETED, "1 kept; 1 dropped and deleted after a day"]],
    );
    const { snapshot } = daemon.client;
    const { snapshots } = await snapshot.listSnapshots({ filter: `schedule_uuid = "${uuid}"`, orderBy: "create_time" });
    assert.deepEqual(
      snapshots.map(({ keepReasons }) => keepReasons),
      [[], ["last 1 of 1", "newest good snapshot"]],
    );
    assert.ok(
      Number((await snapshot.getSnapshot({ uuid: old })).purgeTime?.seconds) * 1000 > Date.now() + 23 * 3_600_000,
    );
    assert.equal((await snapshot.getSnapshot({ uuid: young })).purgeTime, undefined);
    const kept = await snapshot.updateSnapshot({ snapshot: { uuid: old }, updateMask: { paths: ["purge_time"] } });
    assert.equal(kept.purgeTime, undefined);
  });

  it("counts runs and bytes, and shows each schedule on one page", async () => {
    const { statistics } = daemon.client;
    const all = await statistics.getStatistics({});
    assert.ok(all.runs >= 4n && all.completed >= 3n && all.sourceBytes >= 24n && all.snapshots >= 3n);
    const { schedules } = await client().listSchedules({ filter: "name = kept" });
    const scheduleUuid = schedules[0]?.uuid ?? "";
    const own = await statistics.getStatistics({ scheduleUuid });
    assert.deepEqual([own.snapshots, own.sourceBytes, own.failed], [2n, 16n, 0n]);
    const { days } = await statistics.listDailyStatistics({ scheduleUuid, timeZone: "UTC" });
    assert.equal(days[0]?.statistics?.snapshots, 2n);
    const dashboard = await statistics.getDashboard({});
    const card = dashboard.cards.find(({ schedule }) => schedule?.uuid === scheduleUuid);
    assert.deepEqual([card?.state, card?.protectedBytes, card?.days.length], ["ok", 8n, 1]);
    assert.match(dashboard.sentence, /^3 schedules: 1 idle, 2 ok$/);
    for await (const update of statistics.watchStatistics({})) {
      assert.equal(update.sentence, dashboard.sentence);
      break;
    }
    await assertStatus(statistics.getStatistics({ scheduleUuid: "c0ffee" }), Code.NotFound);
  });
});
