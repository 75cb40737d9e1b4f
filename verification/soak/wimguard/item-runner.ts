import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Counts, Proof } from "./proof.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

const script = join(import.meta.dirname, "item-worker.ts");

/** Checks items of one proof, some of them at once. */
export interface ItemRunner {
  /** Items that can be checked at once. */
  readonly jobs: number;
  /** Items that there are at all. */
  readonly limit: number;
  check(seed: number, index: number): Promise<Counts>;
  close(): Promise<void>;
}

/** Starts a proof: in this process, or in one for each job. */
export async function startItemRunner(name: string, proof: Proof, jobs: number): Promise<ItemRunner> {
  if (jobs > 1 && proof.inOneProcess !== true) return startWorkers(name, jobs);
  const started = await proof.start();
  return {
    jobs: 1,
    limit: started.limit ?? Number.POSITIVE_INFINITY,
    check: async (seed, index) => (await started.check(seed, index)) ?? {},
    close: async () => started.close?.(),
  };
}

interface Worker {
  readonly limit: number;
  check(seed: number, index: number): Promise<Counts>;
  close(): Promise<void>;
}

async function startWorkers(name: string, jobs: number): Promise<ItemRunner> {
  const workers = await Promise.all(Array.from({ length: jobs }, () => startWorker(name)));
  const idle = [...workers];
  return {
    jobs,
    limit: Math.min(...workers.map(({ limit }) => limit)),
    async check(seed, index) {
      const worker = idle.pop();
      if (worker === undefined) throw new Error(`more than ${jobs} items were to be checked at once`);
      try {
        return await worker.check(seed, index);
      } finally {
        idle.push(worker);
      }
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

async function startWorker(name: string): Promise<Worker> {
  const child = fork(script, [name]);
  const ended = once(child, "exit");
  const next = async (): Promise<FromWorker> => {
    const [message] = await Promise.race([once(child, "message"), ended.then(([code, signal]) => [code ?? signal])]);
    if (typeof message === "object") return message as FromWorker;
    throw new Error(`the process that checks items has ended with ${message}`);
  };
  const send = (message: ToWorker): void => void child.send(message);
  const ready = await next();
  if (ready.kind !== "ready") throw new Error(ready.kind === "failed" ? ready.text : "an item before the start");
  return {
    limit: ready.limit ?? Number.POSITIVE_INFINITY,
    async check(seed, index) {
      send({ seed, index });
      const outcome = await next();
      if (outcome.kind === "checked") return outcome.counts;
      throw new Error(outcome.kind === "failed" ? outcome.text : "a second start");
    },
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
