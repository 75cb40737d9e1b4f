import cluster from "node:cluster";
import type { Clock, Log } from "@tercel/grpc";
import { type WorkerCounts, workerVariable } from "@tercel/grpc/internal";
import type { LifecycleOutcome } from "../lifecycle/lifecycle-contract.ts";
import type { WorkerMessage } from "./messages.ts";
import { RestartPace } from "./restart-pace.ts";
import { SharedParts } from "./shared-parts.ts";
import type { WorkersOptions } from "./worker-options.ts";
import { WorkerProcess } from "./worker-process.ts";

/** After a second signal: each part of a worker is given a second, and few programs have more than these. */
const forcedKillAfterMs = 5_000;
const defaultMaxFailedStarts = 5;

export interface PoolSettings {
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly killAfterMs: number;
}

/**
 * A service manager or a terminal may signal every process of a group. Those that have not come so far as to listen for it
 * are ended by it, and nothing was begun that they leave behind.
 */
function endedWell(worker: WorkerProcess, how: string): boolean {
  // They are told already.
  if (worker.stopProblems.length > 0) return true;
  return how === "exit code 0" || (worker.readyAtMs === undefined && /^signal SIG(TERM|INT|HUP)$/.test(how));
}

/** Starts workers, replaces those that end, and stops them. */
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
  /** Waits for one that is to replace another: true when it is ready, false when it has ended before. */
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

  /** Resolves when the last worker has ended after a stop; rejects when the start has failed, with none left. */
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

  /** Ends all waiting. */
  force(reason: string): void {
    this.#isForced = true;
    this.stop(reason);
    this.#log.warn("stopping at once", { reason });
    for (const worker of this.#processes) {
      worker.send({ tercel: "force", reason });
      this.#killAfter(worker, forcedKillAfterMs);
    }
  }

  /** Replaces every worker, one after the other, each by one that is ready. Ends at the first that does not get ready. */
  async replaceAll(reason: string): Promise<void> {
    if (this.#isReplacing || this.#stopReason !== undefined) return;
    this.#isReplacing = true;
    this.#log.info("replacing the workers", { reason });
    try {
      for (let number = 1; number <= this.#settings.workers; number++) {
        const old = [...this.#processes].find((one) => one.number === number && one.state === "ready");
        // No one to replace: the next one is on its way already.
        if (old === undefined) continue;
        if (!(await this.#succeed(old, reason))) return;
      }
      this.#log.info("the workers are replaced", { reason });
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
        this.#log.error("the workers are not replaced: the new one did not start", { worker, problem });
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
      this.#log.error("a worker did not stop, and is killed", { worker: worker.number, pid: worker.pid });
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
    // A stop has overtaken its news.
    if (worker.state !== "starting") return;
    worker.state = "ready";
    worker.readyAtMs = this.#clock.nowMs();
    worker.addresses = addresses;
    this.#pace.ready();
    this.#log.info("a worker is ready", { worker: worker.number, pid: worker.pid });
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
        this.#problems.push(new Error(`worker ${number} ended by ${how}`));
      }
    } else {
      this.#onLoss(worker, how);
    }
    this.#settleIfOver();
  }

  /** A worker has ended that no one had asked to. */
  #onLoss(worker: WorkerProcess, how: string): void {
    const { number, pid, readyAtMs, startProblem } = worker;
    this.#lost++;
    const restartInMs = Math.round(
      this.#pace.ended(number, readyAtMs === undefined ? undefined : this.#clock.nowMs() - readyAtMs),
    );
    // The first start fails as that of a program in one process does: whoever has started it is still looking.
    const isFirstStart = !this.#wasEveryoneReady && startProblem !== undefined && this.#counts().ready === 0;
    if (isFirstStart || this.#pace.givesUp(this.#counts().ready)) {
      this.#failure = new Error(
        startProblem === undefined
          ? `${this.#pace.failedStarts} workers in a row ended before they were ready, the last, worker ${number}, by ${how}`
          : `worker ${number} did not start: ${startProblem}`,
      );
      this.#log.error("the workers do not start", { problem: this.#failure.message });
      this.stop("the start failed");
      return;
    }
    // While workers are replaced there are two of a number, and the other one may do.
    const isAlone = ![...this.#processes].some((one) => one.number === number && one.state !== "stopping");
    const restarts = isAlone ? { restartInMs } : {};
    this.#log.error("a worker ended", { worker: number, pid, how: startProblem ?? how, ...restarts });
    if (!isAlone) return;
    const restart = (): void => {
      this.#restarts.delete(number);
      this.#start(number);
    };
    this.#restarts.set(number, this.#clock.after(restartInMs, restart, true));
  }

  /** Tells every worker whether any of them is SERVING, when that has changed. */
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
