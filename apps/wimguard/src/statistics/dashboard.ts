import type { BackupStore } from "../catalog/backup-store.ts";
import type { NamedStore } from "../catalog/named-store.ts";
import type { LiveRun, RunRegistry } from "../runs/run-registry.ts";
import type { RunStore, StoredRun } from "../runs/run-store.ts";
import { localZone } from "../schedule/cron-times.ts";
import type { Schedule } from "../schedule/schedule-item.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import { countDays, type DayCounts } from "./count-runs.ts";

export type CardState = "ok" | "warned" | "failed" | "running" | "overdue" | "paused" | "idle";

/** One schedule on an overview. */
export interface Card {
  readonly schedule: Schedule;
  readonly state: CardState;
  /** When its last backup ended. */
  readonly lastMs: number | undefined;
  readonly nextMs: number | undefined;
  readonly lastGoodMs: number | undefined;
  /** Of the source, in the newest snapshot. */
  readonly protectedBytes: number;
  /** The last 30, newest first. */
  readonly days: readonly DayCounts[];
}

/** Everything that an overview shows. */
export interface Overview {
  readonly sentence: string;
  readonly cards: readonly Card[];
  readonly running: readonly LiveRun[];
  readonly lastDrillMs: number | undefined;
}

export interface DashboardParts {
  readonly schedules: NamedStore<Schedule>;
  readonly scheduler: Scheduler;
  readonly store: BackupStore;
  readonly runs: RunRegistry;
  readonly runStore: RunStore;
  nowMs(): number;
}

const shownDays = 30;
const dayMs = 86_400_000;

export function createOverview(parts: DashboardParts): Overview {
  const { schedules, runs, runStore } = parts;
  const cards = schedules.all().map((schedule) => toCard(schedule, parts));
  const lastDrillMs = runStore.lastGoodOf("drill");
  return { sentence: describeCards(cards), cards, running: runs.active(), lastDrillMs };
}

function toCard(schedule: Schedule, { scheduler, store, runs, runStore, nowMs }: DashboardParts): Card {
  const { uuid, timeZone } = schedule;
  const recent = runStore.between({ fromMs: nowMs() - shownDays * dayMs, toMs: nowMs() + 1, scheduleUuid: uuid });
  const backups = recent.filter(({ kind, state }) => kind === "backup" && state !== "skipped");
  const last = backups.findLast(({ endedAtMs }) => endedAtMs !== undefined);
  const isRunning = runs.active().some((run) => run.scheduleUuid === uuid);
  return {
    schedule,
    state: stateOf(schedule, last, isRunning, scheduler.isOverdue(schedule)),
    lastMs: last?.endedAtMs,
    nextMs: scheduler.nextOf(schedule),
    lastGoodMs: store.lastGoodOf(uuid),
    protectedBytes: store.newestOf(uuid)?.size ?? 0,
    days: countDays(recent, timeZone === "" ? localZone() : timeZone),
  };
}

function stateOf(schedule: Schedule, last: StoredRun | undefined, isRunning: boolean, isOverdue: boolean): CardState {
  if (isRunning) return "running";
  if (schedule.isPaused) return "paused";
  if (isOverdue) return "overdue";
  if (last === undefined) return "idle";
  if (last.state === "failed") return "failed";
  return last.state === "warned" ? "warned" : "ok";
}

/** Such as `2 schedules: 1 failed, 1 ok`. */
function describeCards(cards: readonly Card[]): string {
  if (cards.length === 0) return "no schedules yet";
  const order: readonly CardState[] = ["failed", "overdue", "warned", "running", "idle", "paused", "ok"];
  const parts = order.flatMap((state) => {
    const count = cards.filter((card) => card.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return `${cards.length} schedule${cards.length === 1 ? "" : "s"}: ${parts.join(", ")}`;
}
