import { randomUUID } from "node:crypto";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { BackupService } from "../backup/backup-service.ts";
import type { BackupStore } from "../catalog/backup-store.ts";
import type { NamedStore } from "../catalog/named-store.ts";
import type { RegisteredDestination, RegisteredSource } from "../catalog/registered-items.ts";
import { fail } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { LiveRun, RunRegistry } from "../runs/run-registry.ts";
import type { StartingRequest } from "../runs/run-store.ts";
import type { CheckService } from "../snapshot/check-service.ts";
import { parseCron } from "./cron-times.ts";
import { type Due, decideDue, isOverdue, jitterOf } from "./due.ts";
import type { OccurrenceKind, OccurrenceStore } from "./occurrence-store.ts";
import type { RetentionService } from "./retention-service.ts";
import { runCommand } from "./run-command.ts";
import type { Schedule } from "./schedule-item.ts";

export interface SchedulerParts {
  readonly schedules: NamedStore<Schedule>;
  /** All of them. */
  readonly all: () => readonly Schedule[];
  readonly sources: NamedStore<RegisteredSource>;
  readonly destinations: NamedStore<RegisteredDestination>;
  readonly occurrences: OccurrenceStore;
  readonly store: BackupStore;
  readonly backups: BackupService;
  readonly checks: CheckService;
  readonly retention: RetentionService;
  readonly runs: RunRegistry;
  readonly log: Log;
  nowMs(): number;
}

const dayMs = 86_400_000;

/** Starts what is due. It has no clock of its own: `tick` looks at the time, as often as it is called. */
export class Scheduler {
  readonly #parts: SchedulerParts;
  /** Schedules with a run that waits for the end of the last one. */
  readonly #waiting = new Set<string>();
  /** Schedules whose run is not known yet: its command may take its time. */
  readonly #starting = new Set<string>();
  /** Runs on their way: commands before and after a backup, and what follows it. */
  readonly #working = new Set<Promise<void>>();
  #isTicking = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Starts everything that is due now, and deletes what retention has dropped a day ago. */
  async tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      for (const schedule of this.#parts.all()) if (!schedule.isPaused) await this.#look(schedule);
      await this.#purge();
    } finally {
      this.#isTicking = false;
    }
  }

  /** A new schedule, and one that was paused or changed, begins now: earlier times were not missed. */
  begin({ uuid }: Pick<Schedule, "uuid">): void {
    const { occurrences, nowMs } = this.#parts;
    for (const kind of ["backup", "verify", "drill"] as const) occurrences.handle(uuid, kind, nowMs());
  }

  /** Whether a schedule was begun before: the request that has created it may be repeated. */
  hasBegun({ uuid }: Pick<Schedule, "uuid">): boolean {
    return this.#parts.occurrences.lastHandled(uuid, "backup") !== undefined;
  }

  forget(uuid: string): void {
    this.#waiting.delete(uuid);
    this.#parts.occurrences.remove(uuid);
  }

  /** When the next backup starts; undefined for a schedule that is paused. */
  nextOf(schedule: Schedule): number | undefined {
    if (schedule.isPaused) return undefined;
    const jitterMs = jitterOf(schedule.uuid, schedule.jitterMs);
    const from = Math.max(
      this.#parts.occurrences.lastHandled(schedule.uuid, "backup") ?? 0,
      this.#parts.nowMs() - jitterMs,
    );
    const next = parseCron(schedule.cron, schedule.timeZone, "schedule.cron").next(from);
    return next === undefined ? undefined : next + jitterMs;
  }

  isOverdue(schedule: Schedule): boolean {
    if (schedule.isPaused) return false;
    const { store, runs, nowMs } = this.#parts;
    const lastGoodMs = store.lastGoodOf(schedule.uuid) ?? runs.firstOf(schedule.uuid) ?? nowMs();
    return isOverdue(parseCron(schedule.cron, schedule.timeZone, "schedule.cron"), lastGoodMs, nowMs());
  }

  /** Starts a backup of a schedule now, whatever its times say. */
  async start(schedule: Schedule, request?: StartingRequest): Promise<LiveRun> {
    const { backups, runs, sources, destinations } = this.#parts;
    const source = sources.get(schedule.sourceUuid);
    const destination = destinations.get(schedule.destinationUuid);
    if (source === undefined || destination === undefined) {
      const missing = source === undefined ? "source" : "destination";
      fail({ reason: "ITEM_NOT_FOUND", message: `the ${missing} of schedule ${schedule.name} was deleted` });
    }
    await runCommand(schedule.beforeCommand, { state: "starting", uuid: "" });
    const { uuid, job } = await backups.start({
      source: source.name,
      destination: destination.name,
      compression: schedule.compression,
      description: `schedule ${schedule.name}`,
      scheduleUuid: schedule.uuid,
      unreadable: schedule.unreadable,
      ...(request !== undefined && { startedBy: request }),
    });
    this.#follow(
      job.done
        .then(
          () => "completed",
          () => "failed",
        )
        .then((state) => this.#afterBackup(schedule.uuid, uuid, state)),
    );
    return runs.get(uuid);
  }

  /** Resolves when what follows the runs so far is done. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  async #look(schedule: Schedule): Promise<void> {
    const { uuid, cron, drillCron, verifyPercent } = schedule;
    if (this.#waiting.has(uuid) && !this.#isBusy(uuid)) {
      this.#waiting.delete(uuid);
      this.#follow(this.#startOrRecord(schedule));
    }
    const due = this.#decide(schedule, "backup", cron);
    if (due.kind !== "nothing" && this.#parts.occurrences.handle(uuid, "backup", due.atMs)) {
      if (due.kind === "run") this.#run(schedule);
      else this.#skip(uuid, `missed at ${new Date(due.atMs).toISOString()}`);
    }
    if (drillCron !== "") {
      const drill = this.#decide(schedule, "drill", drillCron);
      if (drill.kind === "run" && this.#parts.occurrences.handle(uuid, "drill", drill.atMs))
        await this.#check(schedule, "drill");
    }
    const { occurrences, nowMs } = this.#parts;
    const isVerifyDue = nowMs() - (occurrences.lastHandled(uuid, "verify") ?? nowMs()) >= dayMs;
    if (verifyPercent > 0 && isVerifyDue && occurrences.handle(uuid, "verify", nowMs()))
      await this.#check(schedule, "verify");
  }

  #decide(schedule: Schedule, kind: OccurrenceKind, cron: string): Due {
    const { occurrences, nowMs } = this.#parts;
    const { uuid, timeZone, catchUp, maxLatenessMs } = schedule;
    const lastHandledMs = occurrences.lastHandled(uuid, kind);
    if (lastHandledMs === undefined) return { kind: "nothing" };
    const times = parseCron(cron, timeZone, "schedule.cron");
    const jitterMs = jitterOf(uuid, schedule.jitterMs);
    return decideDue(lastHandledMs, nowMs(), { times, jitterMs, catchUp, maxLatenessMs });
  }

  #run(schedule: Schedule): void {
    const active = this.#activeOf(schedule.uuid);
    if (!this.#isBusy(schedule.uuid)) {
      this.#follow(this.#startOrRecord(schedule));
      return;
    }
    if (schedule.overlap === "skip" || (schedule.overlap === "queue" && this.#waiting.has(schedule.uuid))) {
      this.#skip(schedule.uuid, `the run ${active[0]?.uuid ?? "before"} is not over`);
      return;
    }
    this.#waiting.add(schedule.uuid);
    if (schedule.overlap === "cancel") for (const { uuid } of active) this.#parts.runs.cancel(uuid);
  }

  #skip(scheduleUuid: string, message: string): void {
    this.#parts.runs.record(randomUUID(), "backup", { scheduleUuid, state: "skipped", message });
  }

  /** What cannot even be started is a run that has failed. */
  async #startOrRecord(schedule: Schedule): Promise<void> {
    this.#starting.add(schedule.uuid);
    try {
      await this.start(schedule);
    } catch (error) {
      const failure = toFailure(error);
      this.#parts.runs.record(randomUUID(), "backup", { scheduleUuid: schedule.uuid, state: "failed", failure });
    } finally {
      this.#starting.delete(schedule.uuid);
    }
  }

  async #check(schedule: Schedule, kind: "verify" | "drill"): Promise<void> {
    const { store, checks, runs, log } = this.#parts;
    const newest = store.newestOf(schedule.uuid);
    if (newest === undefined) return;
    try {
      if (kind === "drill") await checks.drill(newest.uuid, { maxFiles: 0, maxBytes: 0 }, schedule.uuid);
      else await checks.verify(newest.uuid, schedule.verifyPercent, schedule.uuid);
    } catch (error) {
      log.warn("a check could not be started", { schedule: schedule.name, error: thrownText(error) });
      runs.record(randomUUID(), kind, { scheduleUuid: schedule.uuid, state: "failed", failure: toFailure(error) });
    }
  }

  async #afterBackup(scheduleUuid: string, runUuid: string, state: string): Promise<void> {
    const { schedules, retention, log } = this.#parts;
    // It may have been changed or deleted meanwhile.
    const schedule = schedules.get(scheduleUuid);
    if (schedule === undefined) return;
    try {
      if (state === "completed") retention.apply(schedule);
      await runCommand(schedule.afterCommand, { state, uuid: runUuid });
    } catch (error) {
      log.warn("what follows a backup failed", { schedule: schedule.name, run: runUuid, error: thrownText(error) });
    }
  }

  async #purge(): Promise<void> {
    const { retention, log } = this.#parts;
    const purged = await retention.purge((uuid, error) =>
      log.warn("a dropped snapshot could not be deleted", { uuid, error: thrownText(error) }),
    );
    for (const uuid of purged) log.info("deleted a dropped snapshot", { uuid });
  }

  #isBusy(scheduleUuid: string): boolean {
    return this.#starting.has(scheduleUuid) || this.#activeOf(scheduleUuid).length > 0;
  }

  #activeOf(scheduleUuid: string): LiveRun[] {
    return this.#parts.runs.active().filter((run) => run.scheduleUuid === scheduleUuid && run.kind === "backup");
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#working.delete(followed));
    this.#working.add(followed);
  }
}
