import type { Worker } from "node:worker_threads";
import type { ThreadTimes } from "./hang-watch.ts";

/**
 * Measured from outside, because a hanging thread does not respond. The CPU time is that of the whole process without
 * this thread. Node's threads for garbage collection and compilation count as the worker.
 */
export function threadTimes(worker: Worker): ThreadTimes {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return {
    cpuMs: (all.user + all.system - own.user - own.system) / 1000,
    idleMs: worker.performance.eventLoopUtilization().idle,
  };
}
