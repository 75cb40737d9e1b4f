import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { BackupService } from "../src/backup/backup-service.ts";
import { createBackupStore } from "../src/catalog/backup-store.ts";
import { createNamedStore } from "../src/catalog/named-store.ts";
import { openCatalog } from "../src/catalog/open-catalog.ts";
import { destinationColumns, destinationTable, sourceColumns, sourceTable } from "../src/catalog/registered-items.ts";
import { createRowWriter } from "../src/catalog/row-writer.ts";
import { createNodeDurableFiles } from "../src/files/node-durable-files.ts";
import { ArchiveUse } from "../src/jobs/archive-use.ts";
import { JobQueue } from "../src/jobs/job-queue.ts";
import { ProgressFeed } from "../src/progress/progress-feed.ts";
import { RunRegistry } from "../src/runs/run-registry.ts";
import { createRunStore } from "../src/runs/run-store.ts";
import { createOccurrenceStore } from "../src/schedule/occurrence-store.ts";
import { createRetentionService } from "../src/schedule/retention-service.ts";
import { type Schedule, scheduleColumns, scheduleTable } from "../src/schedule/schedule-item.ts";
import { Scheduler } from "../src/schedule/scheduler.ts";
import type { CheckService } from "../src/snapshot/check-service.ts";

const files = createNodeDurableFiles();
const at = (text: string): number => Date.parse(text);
const dayMs = 86_400_000;
const noArchive = { storedBytes: 1, sha256: "0", device: "0", inode: "0", mtimeNs: "0" };

/** A scheduler over a real catalogue, with a clock that the test sets, and backups that end when they are told to. */
class Bench {
  readonly #database: DatabaseSync;
  readonly #ends = new Map<string, () => void>();
  readonly #queue = new JobQueue({ jobs: 10 });
  readonly #schedules;
  readonly #sources;
  readonly #destinations;
  readonly store;
  readonly runStore;
  readonly runs: RunRegistry;
  readonly scheduler: Scheduler;
  readonly checked: string[] = [];
  readonly deleted: string[] = [];
  nowMs: number;

  constructor(folder: string, nowMs: number) {
    this.nowMs = nowMs;
    this.#database = openCatalog(join(folder, "catalogue.db"), files, () => "");
    const rows = createRowWriter(this.#database, files);
    this.store = createBackupStore(this.#database, rows);
    this.#sources = createNamedStore(this.#database, rows, sourceTable, sourceColumns);
    this.#destinations = createNamedStore(this.#database, rows, destinationTable, destinationColumns);
    this.#schedules = createNamedStore(this.#database, rows, scheduleTable, scheduleColumns);
    const clock = () => this.nowMs;
    this.runStore = createRunStore(this.#database, rows);
    this.runs = new RunRegistry({ store: this.runStore, onJobEnd() {}, nowMs: clock });
    const backups = {
      start: async (request: { scheduleUuid?: string }) => this.#start(request.scheduleUuid ?? ""),
      delete: async (uuid: string) => {
        this.deleted.push(uuid);
        this.store.remove(uuid);
      },
    } as unknown as BackupService;
    const check = (kind: string) => async (uuid: string) => void this.checked.push(`${kind} ${uuid}`);
    this.scheduler = new Scheduler({
      schedules: this.#schedules,
      all: () => this.#schedules.all(),
      sources: this.#sources,
      destinations: this.#destinations,
      occurrences: createOccurrenceStore(this.#database, rows),
      store: this.store,
      backups,
      checks: { verify: check("verify"), drill: check("drill") } as unknown as CheckService,
      retention: createRetentionService({ store: this.store, backups, use: new ArchiveUse(), nowMs: clock }),
      runs: this.runs,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      nowMs: clock,
    });
  }

  add(change: Partial<Schedule> = {}): Schedule {
    const source = {
      uuid: randomUUID(),
      name: `s${this.nowMs}`,
      revision: 1,
      path: "/s",
      excludes: [],
      oneFileSystem: false,
    };
    const folder = { engine: "tar", url: "/d", template: "{name}.tar", secretRef: "", isAppend: false } as const;
    const destination = { uuid: randomUUID(), name: `d${this.nowMs}`, revision: 1, ...folder };
    this.#sources.insert(source, undefined);
    this.#destinations.insert(destination, undefined);
    const schedule: Schedule = {
      uuid: randomUUID(),
      name: "nightly",
      revision: 1,
      sourceUuid: source.uuid,
      destinationUuid: destination.uuid,
      cron: "0 2 * * *",
      timeZone: "UTC",
      jitterMs: 0,
      catchUp: "latest",
      maxLatenessMs: 0,
      overlap: "skip",
      retention: {},
      compression: "",
      verifyPercent: 0,
      drillCron: "",
      unreadable: "skip",
      beforeCommand: [],
      afterCommand: [],
      isPaused: false,
      ...change,
    };
    this.#schedules.insert(schedule, undefined);
    this.scheduler.begin(schedule);
    return schedule;
  }

  /** Sets the clock, and lets everything happen that is due. */
  async tickAt(time: string | number): Promise<void> {
    this.nowMs = typeof time === "string" ? at(time) : time;
    await this.scheduler.tick();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  }

  /** Ends the backups that run. */
  async end(): Promise<void> {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    await this.scheduler.settled();
  }

  states(): string[] {
    return this.runs
      .changedAfter(0)
      .sort((a, b) => a.createdAtMs - b.createdAtMs || a.revision - b.revision)
      .map(({ kind, state }) => `${kind} ${state}`);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.scheduler.settled();
    this.#database.close();
  }

  #start(scheduleUuid: string) {
    const uuid = randomUUID();
    const named = {
      name: "s",
      source: "/s",
      destination: `/d/${uuid}`,
      engine: "tar",
      compression: "",
      description: "",
    } as const;
    const createdAtMs = this.nowMs;
    this.store.insert({ ...named, uuid, rules: "", archiveId: uuid, scheduleUuid, createdAtMs });
    const feed = new ProgressFeed();
    const job = this.#queue.add({
      uuid,
      path: uuid,
      run: (signal) =>
        new Promise<NonNullable<ReturnType<typeof this.store.get>>>((resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
          this.#ends.set(uuid, () => {
            this.store.change(uuid, { state: "completed", archive: noArchive, endedAtMs: this.nowMs });
            const stored = this.store.get(uuid);
            if (stored !== undefined) resolve(stored);
          });
        }),
      onNeverRun() {},
    });
    this.runs.track({ kind: "backup", subjectUuid: uuid, job, feed, scheduleUuid });
    return { uuid, job, feed };
  }
}

describe("the scheduler", () => {
  let folder: string;
  let bench: Bench;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-scheduler-"));
    bench = new Bench(folder, at("2026-05-01T12:00Z"));
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
    bench = new Bench(folder, at("2026-05-20T15:00Z"));
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
