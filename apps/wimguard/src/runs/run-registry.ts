import { describeWarnings, type Warnings } from "../catalog/warning-list.ts";
import { type Failure, FailureError, fail } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { JobEnd } from "../jobs/job-end.ts";
import type { QueuedJob } from "../jobs/job-queue.ts";
import type { JobProgress, ProgressFeed } from "../progress/progress-feed.ts";
import type { RunLogEntry, RunLogStore } from "./run-log-store.ts";
import type { RunKindName, RunStore, StartingRequest, StoredRun } from "./run-store.ts";

/** A run with how far it is, while it runs. */
export interface LiveRun extends StoredRun {
  readonly progress: JobProgress | undefined;
}

/** What a job has done, in the end. */
export interface JobOutcome {
  readonly warnings: Warnings;
  readonly files: number;
  readonly bytes?: number;
  /** Of a backup. */
  readonly size?: number;
  readonly addedBytes?: number;
}

/** A job that was accepted. */
export interface TrackedJob {
  readonly kind: RunKindName;
  readonly subjectUuid: string;
  readonly job: QueuedJob<JobOutcome>;
  readonly feed: ProgressFeed;
  readonly scheduleUuid?: string;
  readonly request?: StartingRequest;
}

export interface RunRegistryParts {
  readonly store: RunStore;
  readonly onJobEnd: (end: JobEnd, run: StoredRun) => void;
  /** Default: what happens in runs is not remembered. */
  readonly logs?: Pick<RunLogStore, "append">;
  /** Does the work of a run, for traces. Default: nothing is traced. */
  readonly traceRun?: TraceRun;
  nowMs(): number;
}

/** How a run ended that was never a job. */
export interface RecordedEnd {
  readonly scheduleUuid: string;
  readonly subjectUuid?: string;
  readonly state: "completed" | "failed" | "skipped";
  readonly failure?: Failure;
  readonly message?: string;
  readonly request?: StartingRequest;
}

/** Surrounds the work of a run. */
export type TraceRun = <Result>(kind: RunKindName, work: () => Promise<Result>) => Promise<Result>;

interface Active {
  run: LiveRun;
  readonly cancel: () => void;
}

/** Resolves after a time, or when the signal aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

const noWarnings: Warnings = { first: [], count: 0 };
/** Longer than anybody asks for, and little enough for the catalogue. */
const keptMs = 400 * 86_400_000;
const changesAtOnce = 1000;

/** Knows every run: those of the past from the catalogue, those that run with their progress. */
export class RunRegistry {
  readonly #parts: RunRegistryParts;
  readonly #active = new Map<string, Active>();
  readonly #listeners = new Set<() => void>();
  #revision: number;

  constructor(parts: RunRegistryParts) {
    this.#parts = parts;
    this.#revision = parts.store.lastRevision();
    const { store, nowMs } = parts;
    for (const run of store.unfinished()) {
      const failure = { reason: "STOPPING", message: "interrupted: the daemon ended while it ran" } as const;
      store.update({ ...run, state: "failed", failure, endedAtMs: nowMs(), revision: ++this.#revision });
    }
    store.removeBefore(nowMs() - keptMs);
  }

  get revision(): number {
    return this.#revision;
  }

  /** Follows a job to its end. Its run has the job's uuid. */
  track({ kind, subjectUuid, job, feed, scheduleUuid = "", request }: TrackedJob): void {
    const { store, nowMs } = this.#parts;
    const stored = this.#newRun(job.uuid, kind, { scheduleUuid, subjectUuid, state: "queued" });
    try {
      store.insert(stored, request);
    } catch (error) {
      // A job that no one can see or cancel must not run.
      job.cancel();
      job.done.catch(() => {});
      throw error;
    }
    this.#active.set(job.uuid, { run: { ...stored, progress: undefined }, cancel: () => job.cancel() });
    this.#log(job.uuid, "info", "queued");
    let phase = "waiting";
    feed.onUpdate = (progress) => {
      if (progress.phase !== phase) this.#log(job.uuid, "info", progress.phase);
      ({ phase } = progress);
      const isWaiting = progress.phase === "waiting";
      const started = isWaiting ? {} : { state: "running" as const, startedAtMs: this.#startOf(job.uuid) };
      this.#change(job.uuid, { ...started, progress });
    };
    const { traceRun = (_, work) => work() } = this.#parts;
    traceRun(kind, () => job.done).then(
      ({ warnings, files, bytes, size, addedBytes }) =>
        this.#end(job.uuid, {
          state: warnings.count > 0 ? "warned" : "completed",
          warnings,
          files,
          bytes: bytes ?? size ?? 0,
          storedBytes: addedBytes ?? 0,
          message: describeWarnings(warnings),
          endedAtMs: nowMs(),
        }),
      (error) => {
        const failure = toFailure(error);
        const isCancelled = error instanceof FailureError && failure.reason === "CANCELLED";
        this.#end(job.uuid, { state: isCancelled ? "cancelled" : "failed", failure, endedAtMs: nowMs() });
      },
    );
    this.#notify();
  }

  /** Records a run that has ended already: it was skipped, could not be started, or took no time. */
  record(uuid: string, kind: RunKindName, end: RecordedEnd): LiveRun {
    const { scheduleUuid, subjectUuid = "", state, failure, message = "", request } = end;
    const { store, onJobEnd } = this.#parts;
    const run = this.#newRun(uuid, kind, { scheduleUuid, subjectUuid, state });
    const ended: StoredRun = { ...run, failure, message, endedAtMs: run.createdAtMs };
    store.insert(ended, request);
    store.update(ended);
    const problem = failure === undefined ? {} : { problem: failure.message };
    onJobEnd({ kind, uuid, state, durationMs: 0, ...problem }, ended);
    this.#notify();
    return this.live(ended);
  }

  /** @throws FailureError RUN_NOT_FOUND */
  get(uuid: string): LiveRun {
    if (uuid === "") fail({ reason: "FIELD_REQUIRED", field: "uuid", message: "uuid is required" });
    const shown = uuid.slice(0, 64);
    const found = this.#active.get(uuid)?.run ?? this.#parts.store.get(uuid);
    if (found === undefined) {
      fail({ reason: "RUN_NOT_FOUND", uuid: shown, message: `run ${JSON.stringify(shown)} not found` });
    }
    return this.live(found);
  }

  /** A run with its progress, if it is running. */
  live(run: StoredRun): LiveRun {
    return this.#active.get(run.uuid)?.run ?? { ...run, progress: undefined };
  }

  /** Those that run or wait, oldest first. */
  active(): LiveRun[] {
    return [...this.#active.values()].map(({ run }) => run);
  }

  /** Asks a run to end; one that has ended is left alone. */
  cancel(uuid: string): LiveRun {
    const run = this.get(uuid);
    this.#active.get(uuid)?.cancel();
    return run;
  }

  /** When the first run of a schedule was created. */
  firstOf(scheduleUuid: string): number | undefined {
    return this.#parts.store.firstOf(scheduleUuid);
  }

  findByRequest(id: string): { readonly run: LiveRun; readonly digest: string } | undefined {
    const found = this.#parts.store.findByRequest(id);
    return found === undefined ? undefined : { run: this.live(found.run), digest: found.digest };
  }

  /** Runs that have changed after a revision, each once in its latest state, in the order of their changes. */
  changedAfter(revision: number): LiveRun[] {
    const stored = this.#parts.store
      .changedAfter(revision, changesAtOnce)
      .filter(({ uuid }) => !this.#active.has(uuid));
    const changed = [...stored.map((run) => this.live(run)), ...this.active().filter((run) => run.revision > revision)];
    return changed.sort((a, b) => a.revision - b.revision);
  }

  /** Calls back after each change. The function that is returned ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Yields now, and then after changes: at once, but not more often than given, and `"silence"` when there was none for a while. Ends when the
   * signal aborts.
   */
  async *changes(
    minIntervalMs: number,
    signal: AbortSignal,
    silenceMs = 2 ** 31 - 1,
  ): AsyncGenerator<"change" | "silence"> {
    let hasChanged = true;
    let wake = (): void => {};
    const stopListening = this.onChange(() => {
      hasChanged = true;
      wake();
    });
    try {
      while (!signal.aborted) {
        const kind = hasChanged ? "change" : "silence";
        hasChanged = false;
        yield kind;
        await sleep(minIntervalMs, signal);
        if (hasChanged) continue;
        const waking = new AbortController();
        wake = () => waking.abort();
        await sleep(silenceMs, AbortSignal.any([signal, waking.signal]));
      }
    } finally {
      stopListening();
    }
  }

  #newRun(uuid: string, kind: RunKindName, more: Pick<StoredRun, "scheduleUuid" | "subjectUuid" | "state">): StoredRun {
    return {
      uuid,
      kind,
      ...more,
      bytes: 0,
      storedBytes: 0,
      files: 0,
      warnings: noWarnings,
      failure: undefined,
      message: "",
      revision: ++this.#revision,
      createdAtMs: this.#parts.nowMs(),
      startedAtMs: undefined,
      endedAtMs: undefined,
    };
  }

  #startOf(uuid: string): number {
    return this.#active.get(uuid)?.run.startedAtMs ?? this.#parts.nowMs();
  }

  #change(uuid: string, change: Partial<LiveRun>): void {
    const active = this.#active.get(uuid);
    if (active === undefined) return;
    active.run = { ...active.run, ...change, revision: ++this.#revision };
    this.#notify();
  }

  #end(uuid: string, end: Partial<StoredRun> & Pick<JobEnd, "state">): void {
    const active = this.#active.get(uuid);
    if (active === undefined) return;
    this.#active.delete(uuid);
    const { progress: _, ...run } = { ...active.run, ...end, revision: ++this.#revision };
    try {
      this.#parts.store.update(run);
      this.#logEnd(run);
    } finally {
      const { kind, failure, createdAtMs, endedAtMs = createdAtMs } = run;
      const problem = failure === undefined || end.state === "cancelled" ? {} : { problem: failure.message };
      this.#parts.onJobEnd({ kind, uuid, state: end.state, durationMs: endedAtMs - createdAtMs, ...problem }, run);
      this.#notify();
    }
  }

  /** A log that cannot be written must not keep a run from being ended. */
  #log(uuid: string, level: RunLogEntry["level"], ...messages: string[]): void {
    const atMs = this.#parts.nowMs();
    try {
      this.#parts.logs?.append(
        uuid,
        messages.map((message) => ({ atMs, level, message })),
      );
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
    }
  }

  #logEnd({ uuid, state, warnings, failure, bytes, files }: StoredRun): void {
    const texts = warnings.first.map(({ reason, displayPath, message }) => `${reason} ${displayPath}: ${message}`);
    const more = warnings.count - texts.length;
    this.#log(uuid, "warning", ...texts, ...(more > 0 ? [`${more} more warnings`] : []));
    if (failure === undefined) this.#log(uuid, "info", `${state}: ${files} files, ${bytes} bytes`);
    else this.#log(uuid, state === "cancelled" ? "info" : "error", `${state}: ${failure.message}`);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
