import { type Failure, FailureError, fail } from "../failure/failure.ts";

/** A job of the queue. */
export interface QueuedJob<Result> {
  readonly uuid: string;
  /** Resolves or rejects as the job does; rejects with CANCELLED when it is cancelled before it starts. */
  readonly done: Promise<Result>;
  /** Ends the job; it has ended when `done` has. */
  cancel(): void;
}

/** What is to be done. */
export interface JobStart<Result> {
  readonly uuid: string;
  /** The path that only one job may work on at a time: a destination, or the target of a restore. */
  readonly path: string;
  readonly run: (signal: AbortSignal) => Promise<Result>;
  /** Whether it is cancelled when another job is to work on its path. Default false. */
  readonly givesWay?: boolean;
  /** Called instead of `run` when the job is cancelled before it has started. */
  readonly onNeverRun: (failure: Failure) => void;
}

export interface JobQueueOptions {
  /** Jobs that run at once. */
  readonly jobs: number;
  /** Jobs that wait; one more is refused. Default 100. */
  readonly maxWaiting?: number;
}

interface Entry {
  readonly uuid: string;
  readonly path: string;
  readonly controller: AbortController;
  readonly done: Promise<unknown>;
  start(): void;
  refuse(failure: Failure): void;
}

const defaultMaxWaiting = 100;
/** A full queue empties by jobs that take seconds to hours. */
const retryAfterMs = 10_000;

/** Runs jobs in the order in which they came, a few at a time and one on each path. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #waiting: Entry[] = [];
  readonly #running = new Set<Entry>();
  readonly #uuidOfPath = new Map<string, string>();
  /** Jobs that give way, by their paths. */
  readonly #yielding = new Map<string, Entry>();
  #isClosed = false;
  #onIdle: () => void = () => {};

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  /** Jobs that run and that wait. */
  get size(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** The job that works on a path, or waits to, and does not give way. */
  writerOf(path: string): string | undefined {
    return this.#uuidOfPath.get(path);
  }

  /** Cancels a job on a path that gives way, and resolves when it has ended. */
  async makeWay(path: string): Promise<void> {
    const entry = this.#yielding.get(path);
    if (entry === undefined) return;
    this.#cancel(entry);
    await entry.done.catch(() => {});
  }

  /** Throws what `add` would throw now. */
  check(path: string): void {
    if (this.#isClosed) fail({ reason: "STOPPING", message: "the daemon is stopping: repeat this when it runs again" });
    const uuid = this.writerOf(path);
    if (uuid !== undefined) {
      fail({
        reason: "DESTINATION_BUSY",
        path,
        uuid,
        message: `job ${uuid} is writing ${path}: wait for its end, or choose another name`,
      });
    }
    const maxWaiting = this.#options.maxWaiting ?? defaultMaxWaiting;
    if (this.#running.size < this.#options.jobs || this.#waiting.length < maxWaiting) return;
    fail({ reason: "QUEUE_FULL", retryAfterMs, message: `${maxWaiting} jobs are waiting already: repeat this later` });
  }

  /** @throws FailureError QUEUE_FULL, DESTINATION_BUSY, or STOPPING after `close` */
  add<Result>({ uuid, path, run, onNeverRun, givesWay = false }: JobStart<Result>): QueuedJob<Result> {
    this.check(path);
    const controller = new AbortController();
    const { promise: done, resolve, reject } = Promise.withResolvers<Result>();
    const entry: Entry = {
      uuid,
      path,
      controller,
      done,
      start: () => {
        run(controller.signal)
          .then(resolve, reject)
          .finally(() => this.#end(entry));
      },
      refuse(failure) {
        onNeverRun(failure);
        reject(new FailureError(failure));
      },
    };
    if (givesWay) this.#yielding.set(path, entry);
    else this.#uuidOfPath.set(path, uuid);
    this.#waiting.push(entry);
    this.#startNext();
    return { uuid, done, cancel: () => this.#cancel(entry) };
  }

  /** Cancels all jobs and takes no more. Resolves when the last has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const entry of [...this.#waiting, ...this.#running]) this.#cancel(entry);
    while (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  #startNext(): void {
    while (this.#running.size < this.#options.jobs) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running.add(next);
      next.start();
    }
  }

  #cancel(entry: Entry): void {
    const at = this.#waiting.indexOf(entry);
    if (at < 0) {
      entry.controller.abort();
      return;
    }
    this.#waiting.splice(at, 1);
    this.#free(entry);
    entry.refuse({ reason: "CANCELLED", message: "the job was cancelled before it started", uuid: entry.uuid });
  }

  #free({ path, uuid }: Entry): void {
    if (this.#uuidOfPath.get(path) === uuid) this.#uuidOfPath.delete(path);
    if (this.#yielding.get(path)?.uuid === uuid) this.#yielding.delete(path);
  }

  #end(entry: Entry): void {
    this.#running.delete(entry);
    this.#free(entry);
    if (!this.#isClosed) this.#startNext();
    if (this.#running.size === 0) this.#onIdle();
  }
}
