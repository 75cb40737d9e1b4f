import type { Worker } from "node:worker_threads";
import type { ThreadTimes } from "./hang-watch.ts";

/**
 * Asked from outside, because a thread that hangs answers nothing. The processor's time is that of the whole process without
 * this thread: Node's own threads, which collect garbage and compile for the worker, count as the worker.
 */
export function threadTimes(worker: Worker): ThreadTimes {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return {
    cpuMs: (all.user + all.system - own.user - own.system) / 1000,
    idleMs: worker.performance.eventLoopUtilization().idle,
  };
}
