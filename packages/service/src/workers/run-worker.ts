import cluster from "node:cluster";
import { type ListenAddress, type Log, stderrLog } from "@tercel/grpc";
import { connectShared, type MergedParts, safeLog, thrownMessage, workerNumber } from "@tercel/grpc/internal";
import type { Lifecycle, ServedHealth } from "../lifecycle/lifecycle-contract.ts";
import { LifecycleRun } from "../lifecycle/lifecycle-run.ts";
import { isOurs, type ParentMessage, type WorkerMessage } from "./messages.ts";
import { lifecycleOptionsOf, type WorkersOptions } from "./worker-options.ts";

/** Health service of all workers: SERVING while at least one of them is. */
export const allWorkersService = "tercel.workers";

/** Signals that the parent handles: a terminal's Ctrl-C reaches every process of a group, and the parent forwards it. */
const signalsOfParent: readonly NodeJS.Signals[] = ["SIGINT", "SIGHUP"];

/** Whether this process is a worker of `runWorkers`, not of other code. */
export function isWorkerProcess(): boolean {
  return cluster.isWorker && workerNumber() !== undefined;
}

/** Runs a worker's lifecycle and exits: code after `runWorkers` in the program runs only in the parent. */
export async function runWorker(setUp: (life: Lifecycle) => Promise<void>, options: WorkersOptions): Promise<never> {
  return new Worker(options).run(setUp);
}

class Worker {
  readonly #options: WorkersOptions;
  readonly #run: LifecycleRun;
  readonly #addresses: ListenAddress[] = [];
  /** Health of each server, and whether it is SERVING. */
  readonly #healths = new Map<ServedHealth, boolean>();
  readonly #log: Log;
  readonly #asked = new Map<number, PromiseWithResolvers<MergedParts<unknown>>>();
  #lastAskId = 0;
  #anyoneServes = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#log = withWorker(safeLog(options.log));
    this.#run = new LifecycleRun(
      { ...lifecycleOptionsOf(options), log: this.#log },
      { onServing: (address, health) => this.#onServing(address, health) },
    );
  }

  async run(setUp: (life: Lifecycle) => Promise<void>): Promise<never> {
    this.#listen();
    for (const shared of this.#options.shared ?? []) connectShared(shared, (topic) => this.#ask(topic));
    try {
      const { problems, exitCode } = await this.#run.run(setUp, () => {
        this.#send({ tercel: "ready", addresses: this.#addresses });
      });
      await this.#sendLast({
        tercel: "ended",
        problems: problems.map((problem) => problem.message),
        parts: Object.fromEntries((this.#options.shared ?? []).map(({ name, read }) => [name, read()])),
      });
      process.exit(exitCode);
    } catch (error) {
      this.#log.error("worker failed to start", { error });
      await this.#sendLast({ tercel: "failed", problem: thrownMessage(error) });
      process.exit(1);
    }
  }

  #listen(): void {
    // Otherwise node:cluster would exit a worker without its parent at once, with its calls.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    process.on("disconnect", () => {
      for (const { reject } of this.#asked.values()) reject(new Error("parent process exited"));
      this.#asked.clear();
      this.#run.stop("parent process exited");
    });
    process.on("message", (message) => {
      if (isOurs(message)) this.#onMessage(message as ParentMessage);
    });
    for (const signal of signalsOfParent) process.on(signal, () => {});
    // Sent to this process alone, it requests its replacement; sent to the parent too, it is redundant.
    process.on("SIGTERM", () => this.#run.stop("SIGTERM"));
  }

  #onMessage(message: ParentMessage): void {
    switch (message.tercel) {
      case "stop":
        if (message.isReplaced) this.#run.replace(message.reason);
        else this.#run.stop(message.reason);
        break;
      case "force":
        this.#run.force(message.reason);
        break;
      case "read": {
        const { topic, round } = message;
        const shared = this.#options.shared?.find(({ name }) => name === topic);
        if (shared !== undefined) this.#send({ tercel: "part", topic, round, part: shared.read() });
        break;
      }
      case "answer":
        this.#asked.get(message.id)?.resolve(message.collected);
        this.#asked.delete(message.id);
        break;
      case "serving":
        this.#anyoneServes = message.isServing;
        for (const health of this.#healths.keys()) this.#tellOfAll(health);
        break;
    }
  }

  #onServing(address: ListenAddress, health: ServedHealth | undefined): void {
    this.#addresses.push(address);
    if (health === undefined) return;
    this.#tellOfAll(health);
    health.follow("", (status) => {
      this.#healths.set(health, status === "SERVING");
      this.#send({ tercel: "serving", isServing: [...this.#healths.values()].every((isServing) => isServing) });
    });
  }

  #tellOfAll(health: ServedHealth): void {
    health.setStatus(allWorkersService, this.#anyoneServes ? "SERVING" : "NOT_SERVING");
  }

  #ask(topic: string): Promise<MergedParts<unknown>> {
    if (!process.connected) return Promise.reject(new Error("parent process exited"));
    const id = ++this.#lastAskId;
    const answer = Promise.withResolvers<MergedParts<unknown>>();
    this.#asked.set(id, answer);
    this.#send({ tercel: "ask", topic, id });
    return answer.promise;
  }

  #send(message: WorkerMessage): void {
    // If the parent exits in the meantime, "disconnect" is emitted.
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  }

  /** Sends the last message. Resolves when it is sent, so that the process can exit. */
  #sendLast(message: WorkerMessage): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, {}, () => resolve());
      else resolve();
    });
  }
}

/** Adds the worker's number to a log; the kit's own log does so itself. */
function withWorker(log: Log): Log {
  if (log === stderrLog) return log;
  const worker = workerNumber();
  return {
    debug: (message, fields) => log.debug(message, { worker, ...fields }),
    info: (message, fields) => log.info(message, { worker, ...fields }),
    warn: (message, fields) => log.warn(message, { worker, ...fields }),
    error: (message, fields) => log.error(message, { worker, ...fields }),
  };
}
