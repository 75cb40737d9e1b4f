/**
 * The thread that runs one target, until its time limit or until an input fails. The current input is in memory shared with
 * the supervisor, which can save it if this thread hangs or dies.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Random } from "../../harness/random.ts";
import { readInputs, saveInput } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { type Orders, type Progress, SharedInput } from "./shared-input.ts";
import { defaultMaxBytes, loadTarget } from "./target.ts";

const reportEveryMs = 1000;
/** The clock is not read for each input. */
const inputsPerLook = 64;
/** The share of recent inputs, which have been tried least. */
const latestInputs = 16;

// Without stacks, because refusals are frequent. A run with --input shows the stack of one.
Error.stackTraceLimit = 0;

const orders = workerData as Orders;
const shared = new SharedInput(orders.memory);
const coverage = new Coverage(["/packages/http2/src/", "/packages/grpc/src/"]);
const target = await loadTarget(orders.target);
const random = new Random(orders.seed);
const maxBytes = target.maxBytes ?? defaultMaxBytes;
const dictionary = target.dictionary ?? [];
const corpus: Uint8Array[] = [];
let executions = 0;

/** Returns true if the input had new coverage. */
async function run(input: Uint8Array): Promise<boolean> {
  shared.set(input);
  executions++;
  try {
    const outcome = target.fuzz(input.slice());
    if (outcome !== undefined) await outcome;
  } catch (error) {
    report(false);
    throw error;
  }
  return coverage.takeNews();
}

function report(isDone: boolean): void {
  const progress: Progress = {
    executions,
    corpus: corpus.length,
    covered: coverage.covered,
    branches: coverage.branches,
    isDone,
  };
  parentPort?.postMessage(progress);
}

function choose(): Uint8Array {
  const recent = Math.min(corpus.length, latestInputs);
  return corpus[corpus.length - 1 - random.below(random.below(2) === 0 ? recent : corpus.length)] as Uint8Array;
}

coverage.forget();
for (const input of [...readInputs(orders.seedFolder), ...readInputs(orders.grownFolder), new Uint8Array(0)]) {
  if (await run(input.subarray(0, maxBytes))) corpus.push(input.subarray(0, maxBytes));
}
if (corpus.length === 0) corpus.push(new Uint8Array(0));
report(false);
const endMs = performance.now() + orders.seconds * 1000;
let nextReportMs = performance.now() + reportEveryMs;
for (;;) {
  for (let inputs = 0; inputs < inputsPerLook; inputs++) {
    const input = mutate(choose(), corpus, dictionary, maxBytes, random);
    if (!(await run(input))) continue;
    corpus.push(input);
    saveInput(orders.grownFolder, "", input);
  }
  const nowMs = performance.now();
  if (nowMs >= endMs) break;
  if (nowMs < nextReportMs) continue;
  nextReportMs = nowMs + reportEveryMs;
  report(false);
}
report(true);
