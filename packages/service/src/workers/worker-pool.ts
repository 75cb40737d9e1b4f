import cluster from "node:cluster";
import type { Clock, Log } from "@tercel/grpc";
import { type WorkerCounts, workerVariable } from "@tercel/grpc/internal";
import type { LifecycleOutcome } from "../lifecycle/lifecycle-contract.ts";
import type { WorkerMessage } from "./messages.ts";
import { RestartPace } from "./restart-pace.ts";
import { SharedParts } from "./shared-parts.ts";
import type { WorkersOptions } from "./worker-options.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Time until workers are killed after a second signal: each part has a second to stop. */
const forcedKillAfterMs = 5_000;
const defaultMaxFailedStarts = 5;

export interface PoolSettings {
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly killAfterMs: number;
}

/**
 * Whether a worker exited without a problem. A service manager or a terminal may signal every process of a group, which ends workers that do not handle
 * signals yet; those have started nothing.
 */
function endedWell(worker: WorkerProcess, how: string): boolean {
  // Its problems are reported already.
  if (worker.stopProblems.length > 0) return true;
  return how === "exit code 0" || (worker.readyAtMs === undefined && /^signal SIG(TERM|INT|HUP)$/.test(how));
}

/** Starts workers, restarts those that exit, and stops them. */
export class WorkerPool {
  readonly #settings: PoolSettings;
  readonly #options: WorkersOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pace: RestartPace;
  readonly #parts: SharedParts;
  readonly #processes = new Set<WorkerProcess>();
  readonly #restarts = new Map<number, () => void>();
  readonly #killTimers = new Map<WorkerProcess, () => void>();
  readonly #outcome = Promise.withResolvers<LifecycleOutcome>();
  readonly #problems: Error[] = [];
  /** Resolvers of replacements: true when the new worker is ready, false when it exits first. */
  readonly #successors = new Map<WorkerProcess, (isReady: boolean) => void>();
  readonly #departures = new Map<WorkerProcess, () => void>();
  #stopReason: string | undefined;
  #failure: Error | undefined;
  #wasEveryoneReady = false;
  #isReplacing = false;
  #anyoneServed = false;
  #isForced = false;
  #lost = 0;

  constructor(settings: PoolSettings, options: WorkersOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#log = settings.log;
    this.#clock = settings.clock;
    this.#pace = new RestartPace(options.maxFailedStarts ?? defaultMaxFailedStarts);
    this.#parts = new SharedParts(options.shared ?? [], settings.clock);
  }

  /** Runs the pool. Resolves when the last worker has exited after a stop; rejects after a failed start, when none is left. */
  run(): Promise<LifecycleOutcome> {
    if (this.#stopReason !== undefined) return this.#outcome.promise;
    for (let number = 1; number <= this.#settings.workers; number++) this.#start(number);
    return this.#outcome.promise;
  }

  stop(reason: string): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    this.#log.info("stopping", { reason, workers: this.#processes.size });
    for (const cancel of this.#restarts.values()) cancel();
    this.#restarts.clear();
    for (const worker of this.#processes) this.#stopOne(worker, reason, false);
    this.#settleIfOver();
  }

  /** Forces the stop: ends all waiting. */
  force(reason: string): void {
    this.#isForced = true;
    this.stop(reason);
    this.#log.warn("stopping at once", { reason });
    for (const worker of this.#processes) {
      worker.send({ tercel: "force", reason });
      this.#killAfter(worker, forcedKillAfterMs);
    }
  }

  /** Replaces all workers one by one, each by a ready one. Stops at the first that fails to start. */
  async replaceAll(reason: string): Promise<void> {
    if (this.#isReplacing || this.#stopReason !== undefined) return;
    this.#isReplacing = true;
    this.#log.info("replacing the workers", { reason });
    try {
      for (let number = 1; number <= this.#settings.workers; number++) {
        const old = [...this.#processes].find((one) => one.number === number && one.state === "ready");
        // Nothing to replace: its successor is already starting.
        if (old === undefined) continue;
        if (!(await this.#succeed(old, reason))) return;
      }
      this.#log.info("workers replaced", { reason });
    } finally {
      this.#isReplacing = false;
    }
  }

  async #succeed(old: WorkerProcess, reason: string): Promise<boolean> {
    const successor = this.#start(old.number);
    const isReady = await new Promise<boolean>((resolve) => this.#successors.set(successor, resolve));
    if (!isReady) {
      if (this.#stopReason === undefined) {
        const { number: worker, startProblem: problem } = successor;
        this.#log.error("workers not replaced: the new worker failed to start", { worker, problem });
      }
      return false;
    }
    if (this.#processes.has(old) && old.state === "ready") {
      const departed = new Promise<void>((resolve) => this.#departures.set(old, resolve));
      this.#stopOne(old, reason, true);
      await departed;
    }
    return this.#stopReason === undefined;
  }

  #start(number: number): WorkerProcess {
    const worker = new WorkerProcess(
      number,
      cluster.fork({ [workerVariable]: String(number) }),
      (message) => this.#onMessage(worker, message),
      (how) => this.#onExit(worker, how),
    );
    this.#processes.add(worker);
    return worker;
  }

  #stopOne(worker: WorkerProcess, reason: string, isReplaced: boolean): void {
    worker.state = "stopping";
    this.#tellServing();
    worker.send({ tercel: "stop", reason, isReplaced });
    this.#killAfter(worker, this.#settings.killAfterMs);
  }

  #killAfter(worker: WorkerProcess, delayMs: number): void {
    this.#killTimers.get(worker)?.();
    const kill = (): void => {
      this.#log.error("killing a worker that did not stop", { worker: worker.number, pid: worker.pid });
      worker.kill();
    };
    this.#killTimers.set(worker, this.#clock.after(delayMs, kill, true));
  }

  #onMessage(worker: WorkerProcess, message: WorkerMessage): void {
    switch (message.tercel) {
      case "ready":
        this.#onReady(worker, message.addresses);
        break;
      case "failed":
        worker.startProblem = message.problem;
        break;
      case "serving":
        worker.isServing = message.isServing;
        this.#tellServing();
        break;
      case "ended":
        worker.stopProblems = message.problems;
        for (const [topic, part] of Object.entries(message.parts)) worker.parts.set(topic, part);
        break;
      case "ask":
        void this.#parts.answer(worker, message.topic, message.id, this.#processes, this.#counts());
        break;
      case "part":
        this.#parts.receive(worker, message.topic, message.round, message.part);
        break;
    }
  }

  #onReady(worker: WorkerProcess, addresses: WorkerProcess["addresses"]): void {
    // A stop began in the meantime.
    if (worker.state !== "starting") return;
    worker.state = "ready";
    worker.readyAtMs = this.#clock.nowMs();
    worker.addresses = addresses;
    this.#pace.ready();
    this.#log.info("worker ready", { worker: worker.number, pid: worker.pid });
    worker.send({ tercel: "serving", isServing: this.#anyoneServed });
    this.#tellServing();
    this.#successors.get(worker)?.(true);
    this.#successors.delete(worker);
    if (this.#wasEveryoneReady || this.#counts().ready < this.#settings.workers) return;
    this.#wasEveryoneReady = true;
    this.#options.onReady?.(addresses);
  }

  #onExit(worker: WorkerProcess, how: string): void {
    this.#processes.delete(worker);
    this.#killTimers.get(worker)?.();
    this.#killTimers.delete(worker);
    this.#parts.keep(worker);
    this.#departures.get(worker)?.();
    this.#departures.delete(worker);
    this.#successors.get(worker)?.(false);
    this.#successors.delete(worker);
    this.#tellServing();
    const { number, state } = worker;
    if (state === "stopping") {
      for (const problem of worker.stopProblems) this.#problems.push(new Error(`worker ${number}: ${problem}`));
      if (!endedWell(worker, how)) {
        this.#problems.push(new Error(`worker ${number} exited: ${how}`));
      }
    } else {
      this.#onLoss(worker, how);
    }
    this.#settleIfOver();
  }

  /** Handles the unexpected exit of a worker. */
  #onLoss(worker: WorkerProcess, how: string): void {
    const { number, pid, readyAtMs, startProblem } = worker;
    this.#lost++;
    const restartInMs = Math.round(
      this.#pace.ended(number, readyAtMs === undefined ? undefined : this.#clock.nowMs() - readyAtMs),
    );
    // A failed first start fails the program, as in a single process.
    const isFirstStart = !this.#wasEveryoneReady && startProblem !== undefined && this.#counts().ready === 0;
    if (isFirstStart || this.#pace.givesUp(this.#counts().ready)) {
      this.#failure = new Error(
        startProblem === undefined
          ? `${this.#pace.failedStarts} workers in a row exited before they were ready; the last was worker ${number}: ${how}`
          : `worker ${number} failed to start: ${startProblem}`,
      );
      this.#log.error("workers failed to start", { problem: this.#failure.message });
      this.stop("the start failed");
      return;
    }
    // During a replacement there are two workers with one number, and the other may serve.
    const isAlone = ![...this.#processes].some((one) => one.number === number && one.state !== "stopping");
    const restarts = isAlone ? { restartInMs } : {};
    this.#log.error("worker exited", { worker: number, pid, how: startProblem ?? how, ...restarts });
    if (!isAlone) return;
    const restart = (): void => {
      this.#restarts.delete(number);
      this.#start(number);
    };
    this.#restarts.set(number, this.#clock.after(restartInMs, restart, true));
  }

  /** Notifies every worker when the health of all workers together changes. */
  #tellServing(): void {
    const isServing = [...this.#processes].some((one) => one.state === "ready" && one.isServing);
    if (isServing === this.#anyoneServed) return;
    this.#anyoneServed = isServing;
    for (const worker of this.#processes) worker.send({ tercel: "serving", isServing });
  }

  #counts(): WorkerCounts {
    const ready = [...this.#processes].filter((one) => one.state === "ready").length;
    return { wanted: this.#settings.workers, ready, lost: this.#lost };
  }

  #settleIfOver(): void {
    if (this.#stopReason === undefined || this.#processes.size > 0) return;
    if (this.#failure !== undefined) {
      this.#outcome.reject(this.#failure);
      return;
    }
    this.#log.info("stopped", { forced: this.#isForced, problems: this.#problems.length });
    this.#outcome.resolve({
      reason: this.#stopReason,
      forced: this.#isForced,
      problems: this.#problems,
      exitCode: this.#isForced || this.#problems.length > 0 ? 1 : 0,
    });
  }
}
