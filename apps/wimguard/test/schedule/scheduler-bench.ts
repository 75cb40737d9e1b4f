import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { BackupService } from "../../src/backup/backup-service.ts";
import { createBackupStore } from "../../src/catalog/backup-store.ts";
import { createNamedStore } from "../../src/catalog/named-store.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import {
  destinationColumns,
  destinationTable,
  sourceColumns,
  sourceTable,
} from "../../src/catalog/registered-items.ts";
import { createRowWriter } from "../../src/catalog/row-writer.ts";
import type { FailureError } from "../../src/failure/failure.ts";
import { createNodeDurableFiles } from "../../src/files/node-durable-files.ts";
import { ArchiveUse } from "../../src/jobs/archive-use.ts";
import { JobQueue } from "../../src/jobs/job-queue.ts";
import { ProgressFeed } from "../../src/progress/progress-feed.ts";
import { RunRegistry } from "../../src/runs/run-registry.ts";
import { createRunStore } from "../../src/runs/run-store.ts";
import { createOccurrenceStore } from "../../src/schedule/occurrence-store.ts";
import { createRetentionService } from "../../src/schedule/retention-service.ts";
import { type Schedule, scheduleColumns, scheduleTable } from "../../src/schedule/schedule-item.ts";
import { Scheduler } from "../../src/schedule/scheduler.ts";
import type { CheckService } from "../../src/snapshot/check-service.ts";

const files = createNodeDurableFiles();
const noArchive = { storedBytes: 1, sha256: "0", device: "0", inode: "0", mtimeNs: "0" };

/** A scheduler over a real catalogue, with a clock that the test sets, and backups that end when they are told to. */
export class SchedulerBench {
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
  /** When backups were started, by the clock of the test. */
  readonly startedMs: number[] = [];
  /** Why checks cannot start. */
  checkProblem: FailureError | undefined;
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
    const check = (kind: string) => async (uuid: string) => {
      if (this.checkProblem !== undefined) throw this.checkProblem;
      this.checked.push(`${kind} ${uuid}`);
    };
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
    this.nowMs = typeof time === "string" ? Date.parse(time) : time;
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
    this.startedMs.push(createdAtMs);
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
