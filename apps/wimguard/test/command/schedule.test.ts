import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createSuiteContext } from "../daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "../daemon/daemon-in-process.ts";
import { linesOf, setVariables, wimguard } from "./run-command.ts";

describe("wimguard schedule", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  before(async () => {
    daemon = await startInProcess(context);
    setVariables(context, { WIMGUARD_DIR: daemon.folders.data });
    writeFileSync(join(daemon.folders.source, "file"), "content\n");
    await wimguard("registry", "add-source", "work", daemon.folders.source);
    await wimguard("registry", "add-destination", "disk", daemon.folders.destinations);
    const made = await wimguard(
      ...["schedule", "create", "nightly", "-s", "work", "-d", "disk", "--cron", "30 2 * * *", "--zone", "UTC"],
      ...["--keep", "last=3", "daily=7", "--jitter", "10m", "--no-catch-up"],
    );
    assert.match(made.out, /^nightly runs every day at 02:30 \(UTC\):\n(?: {2}\S+\n){5}$/);
  });
  after(() => context.clean());

  it("show prints everything that is set", async () => {
    const { out } = await wimguard("schedule", "show", "nightly");
    for (const line of [
      /^source +work$/m,
      /^words +every day at 02:30 \(UTC\)$/m,
      /^jitterMs +600000$/m,
      /^keep +last=3 daily=7$/m,
      /^overlap +skip$/m,
      /^next +\d{4}-/m,
    ]) {
      assert.match(out, line);
    }
    assert.doesNotMatch(out, /catchUp|paused|drillCron/);
  });

  it("update changes what is named, and leaves the rest", async () => {
    const ended = await wimguard("schedule", "update", "nightly", "--cron", "0 4 * * *", "--overlap", "queue");
    assert.match(ended.out, /^nightly runs every day at 04:00 \(UTC\):/);
    const [shown] = linesOf(await wimguard("schedule", "show", "nightly", "--json"));
    assert.deepEqual(
      [shown?.cron, shown?.overlap, shown?.keep, shown?.catchUp, shown?.jitterMs],
      ["0 4 * * *", "queue", { last: 3, daily: 7 }, false, 600_000],
    );
    await wimguard("schedule", "update", "nightly", "--keep", "all", "--catch-up", "--verify", "5%");
    const [changed] = linesOf(await wimguard("schedule", "show", "nightly", "--json"));
    assert.deepEqual(
      [changed?.keep, changed?.catchUp, changed?.verifyPercent, changed?.cron],
      [{}, true, 5, "0 4 * * *"],
    );
  });

  for (const [what, args, message] of [
    ["nothing to change", ["update", "nightly"], /nothing to change: pass the settings to change/],
    [
      "an unknown overlap",
      ["update", "nightly", "--overlap", "both"],
      /invalid --overlap both: use skip, queue, cancel/,
    ],
    ["a duration without a unit", ["update", "nightly", "--jitter", "10"], /invalid --jitter 10: use a duration/],
    ["more than everything", ["update", "nightly", "--verify", "101"], /invalid --verify "101": use a percentage/],
    ["an unknown rule", ["update", "nightly", "--keep", "hours=1"], /invalid --keep "hours=1"/],
    ["an unknown schedule", ["show", "weekly"], /schedule "weekly"/],
  ] as const) {
    it(`refuses ${what} with exit code 2`, async () => {
      const ended = await wimguard("schedule", ...args);
      assert.equal(ended.code, 2, ended.out);
      assert.match(ended.err, message);
    });
  }

  it("log prints what happened in a run: its phases, warnings and end", async () => {
    const [summary] = linesOf(await wimguard("schedule", "run", "nightly", "--json")).slice(-1);
    const { out } = await wimguard("schedule", "log", String(summary?.uuid));
    const texts = out
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^\S+ {2}/, ""));
    assert.deepEqual(texts.slice(0, 2), ["info     queued", "info     scanning"]);
    assert.equal(texts.at(-1), "info     completed: 1 files, 8 bytes");
    const none = await wimguard("schedule", "log", "none");
    assert.match(none.err, /run "none"/);
  });

  it("run fails as its backup does", async () => {
    await wimguard("registry", "add-source", "gone", join(daemon.folders.source, "gone"));
    await wimguard("schedule", "create", "failing", "-s", "gone", "-d", "disk", "--cron", "0 0 1 1 *");
    const ended = await wimguard("schedule", "run", "failing", "--json");
    assert.equal(ended.code, 1);
    assert.equal(linesOf(ended).at(-1)?.reason, "SOURCE_NOT_FOUND");
  });
});
