import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { FailureError } from "../../src/failure/failure.ts";
import { RunRegistry } from "../../src/runs/run-registry.ts";
import { SchedulerBench } from "./scheduler-bench.ts";

const at = (text: string): number => Date.parse(text);
const dayMs = 86_400_000;

describe("the scheduler", () => {
  let folder: string;
  let bench: SchedulerBench;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-scheduler-"));
    bench = new SchedulerBench(folder, at("2026-05-01T12:00Z"));
  });
  afterEach(async () => {
    await bench.close();
    rmSync(folder, { recursive: true });
  });

  it("starts what is due, once", async () => {
    bench.add();
    await bench.tickAt("2026-05-02T01:59:59Z");
    assert.deepEqual(bench.states(), []);
    await bench.tickAt("2026-05-02T02:00Z");
    await bench.tickAt("2026-05-02T02:00:15Z");
    assert.deepEqual(bench.states(), ["backup queued"]);
    await bench.end();
    await bench.tickAt("2026-05-02T03:00Z");
    assert.deepEqual(bench.states(), ["backup completed"]);
  });

  it("does not start what is paused", async () => {
    bench.add({ isPaused: true });
    await bench.tickAt("2026-05-05T02:00Z");
    assert.deepEqual(bench.states(), []);
  });

  for (const [overlap, expected] of [
    ["skip", ["backup completed", "backup skipped", "backup skipped"]],
    ["queue", ["backup completed", "backup skipped", "backup queued"]],
    ["cancel", ["backup failed", "backup queued"]],
  ] as const) {
    it(`does with a run that is not over what its schedule says: ${overlap}`, async () => {
      bench.add({ overlap });
      for (const day of ["02", "03", "04"]) {
        await bench.tickAt(`2026-05-${day}T02:00Z`);
        if (overlap === "cancel" && day === "03") break;
      }
      if (overlap !== "cancel") await bench.end();
      await bench.tickAt("2026-05-04T02:05Z");
      assert.deepEqual(bench.states(), expected);
    });
  }

  it("catches up by one run after the daemon was off, and repeats nothing when the clock goes back", async () => {
    bench.add();
    await bench.tickAt("2026-05-02T02:00Z");
    await bench.end();
    await bench.close();
    bench = new SchedulerBench(folder, at("2026-05-20T15:00Z"));
    await bench.tickAt("2026-05-20T15:00Z");
    await bench.end();
    assert.deepEqual(bench.states(), ["backup completed", "backup completed"]);
    await bench.tickAt("2026-05-10T02:00Z");
    await bench.tickAt("2026-05-20T15:01Z");
    assert.equal(bench.states().length, 2);
    await bench.tickAt("2026-05-21T02:00Z");
    assert.equal(bench.states().length, 3);
  });

  it("ends runs of a daemon that was killed", async () => {
    bench.add();
    await bench.tickAt("2026-05-02T02:00Z");
    const [run] = bench.runs.active();
    const later = new RunRegistry({ store: bench.runStore, onJobEnd() {}, nowMs: () => bench.nowMs });
    assert.equal(later.get(run?.uuid ?? "").state, "failed");
    assert.match(later.get(run?.uuid ?? "").failure?.message ?? "", /^interrupted/);
  });

  it("checks the newest snapshot every day, and drills it when it is time", async () => {
    const { uuid } = bench.add({ verifyPercent: 5, drillCron: "0 12 * * 0" });
    await bench.tickAt("2026-05-02T02:00Z");
    await bench.end();
    const [snapshot] = bench.store.ofSchedule(uuid);
    await bench.tickAt("2026-05-02T13:00Z");
    assert.deepEqual(bench.checked, [`verify ${snapshot?.uuid}`]);
    await bench.tickAt("2026-05-03T12:00Z");
    assert.deepEqual(bench.checked.slice(1), [`drill ${snapshot?.uuid}`]);
  });

  it("records a check of an archive that is gone as a failed run, which is notified", async () => {
    bench.add({ verifyPercent: 5 });
    await bench.tickAt("2026-05-02T02:00Z");
    await bench.end();
    bench.checkProblem = new FailureError({ reason: "ARCHIVE_GONE", message: "the archive does not exist" });
    await bench.tickAt("2026-05-02T13:00Z");
    assert.deepEqual(bench.states(), ["backup completed", "verify failed"]);
    const verify = bench.runs.changedAfter(0).find(({ kind }) => kind === "verify");
    assert.equal(verify?.failure?.reason, "ARCHIVE_GONE");
  });

  it("deletes what retention has dropped after a day, unless it is kept or pinned meanwhile", async () => {
    const { uuid } = bench.add({ retention: { last: 1 } });
    for (const day of ["02", "03", "04", "05"]) {
      await bench.tickAt(`2026-05-${day}T02:00Z`);
      await bench.end();
    }
    const [first, second, third, fourth] = bench.store.ofSchedule(uuid);
    // The first was dropped on the 3rd, and deleted on the 4th.
    assert.deepEqual(bench.deleted.length, 2);
    assert.deepEqual([third, fourth], [undefined, undefined]);
    assert.equal(first?.purgeAtMs, at("2026-05-05T02:00Z") + dayMs);
    assert.equal(second?.purgeAtMs, undefined);
    bench.store.change(first?.uuid ?? "", { isPinned: true });
    await bench.tickAt("2026-05-06T01:00Z");
    await bench.tickAt("2026-05-06T01:59Z");
    await bench.tickAt(at("2026-05-06T02:00Z") - 1);
    assert.equal(bench.deleted.length, 2);
  });

  it("is overdue when there was no good run for one and a half times its period", async () => {
    const schedule = bench.add();
    await bench.tickAt("2026-05-02T02:00Z");
    await bench.end();
    bench.nowMs = at("2026-05-03T13:59Z");
    assert.equal(bench.scheduler.isOverdue(schedule), false);
    bench.nowMs = at("2026-05-03T14:01Z");
    assert.equal(bench.scheduler.isOverdue(schedule), true);
  });
});
