import { Worker } from "node:worker_threads";
import { saveInput } from "./corpus.ts";
import { HangWatch } from "./hang-watch.ts";
import { type Orders, type Progress, SharedInput } from "./shared-input.ts";
import { threadTimes } from "./thread-times.ts";

/** The time limit of an input. Most take microseconds, and the slowest a few milliseconds. */
const hangAfterMs = 20_000;
const lookEveryMs = 1000;
const printEveryMs = 15_000;

export interface Outcome {
  progress: Progress;
  /** The run time of the thread. */
  seconds: number;
  /** The failure, and the file of its input. */
  finding: { error: Error; file: string } | undefined;
}

/** Runs a target in a separate thread and watches it. */
export function supervise(orders: Omit<Orders, "memory">, crashFolder: string): Promise<Outcome> {
  const shared = new SharedInput();
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: { ...orders, memory: shared.memory },
    });
    let progress: Progress = { executions: 0, corpus: 0, covered: 0, branches: 0, isDone: false };
    const hangWatch = new HangWatch(hangAfterMs);
    let printedMs = startedMs;
    let isOver = false;
    const end = (finding: Outcome["finding"]): void => {
      isOver = true;
      clearInterval(watch);
      const seconds = (performance.now() - startedMs) / 1000;
      void worker.terminate().then(() => resolve({ progress, seconds, finding }));
    };
    const found = (error: Error): void =>
      end({ error, file: saveInput(crashFolder, `${orders.target}-`, shared.get()) });
    const watch = setInterval(() => {
      const nowMs = performance.now();
      const wrong = hangWatch.look(shared.serial, threadTimes(worker));
      if (wrong !== undefined) found(new Error(wrong));
      if (nowMs - printedMs < printEveryMs) return;
      printedMs = nowMs;
      console.log(`  ${describeProgress(progress, (nowMs - startedMs) / 1000)}`);
    }, lookEveryMs);
    worker.on("message", (report: Progress) => {
      progress = report;
      if (report.isDone) end(undefined);
    });
    worker.on("error", found);
    // It exits silently if it awaits the input and nothing is left that could settle the promise.
    worker.on("exit", () => {
      if (!isOver) found(new Error("the thread ended while an input was at work"));
    });
  });
}

export function describeProgress(progress: Progress, seconds: number): string {
  const { executions, corpus, covered, branches } = progress;
  const rate = Math.round(executions / Math.max(seconds, 0.001));
  return `${executions} inputs, ${rate}/s, ${covered} of ${branches} branches, ${corpus} inputs kept`;
}
