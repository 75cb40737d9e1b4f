import type { Histogram } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { openChannel } from "../target/open-channel.ts";
import type { TargetOptions } from "../target/target-options.ts";
import type { Load } from "./bench-options.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { createMakeCall } from "./make-call.ts";
import { runOpenLoop } from "./open-loop.ts";
import { type FailedCalls, Recorder } from "./recorder.ts";
import { dueTimes, type Share } from "./schedule.ts";

/** The input of a worker. */
export interface WorkerTask {
  readonly share: Share;
  readonly load: Load;
  readonly target: TargetOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly headers: readonly (readonly [string, string])[];
  /** A FileDescriptorSet, serialized. */
  readonly schema: Uint8Array;
  readonly service: string;
  readonly method: string;
  /** Serialized. */
  readonly messages: readonly Uint8Array[];
}

/** The messages of a worker: its progress at intervals, and its result at the end. */
export type WorkerReport =
  | { readonly kind: "progress"; readonly made: number }
  | {
      readonly kind: "result";
      readonly timings: { readonly latency: Histogram; readonly service: Histogram; readonly lag: Histogram };
      /** Duration of the measurement, in milliseconds; shorter than planned if it was stopped. */
      readonly measuredMs: number;
      /** From the end of the warm-up to the end of the last measured call, in milliseconds. */
      readonly elapsedMs: number;
      readonly sent: number;
      readonly succeeded: number;
      readonly errors: ReadonlyMap<string, FailedCalls>;
    };

const progressMs = 250;

/** Runs one thread's part of a measurement. It ends early when the main thread sends any message. */
export async function runBenchWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("runBenchWorker must run in a worker thread");
  const task = workerData as WorkerTask;
  const { load, share } = task;
  const controller = new AbortController();
  port.once("message", () => controller.abort());
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, task.schema));
  const method = registry.getService(task.service)?.methods.find(({ name }) => name === task.method);
  if (method === undefined) throw new Error(`${task.service} has no method ${task.method}`);

  const count = Math.max(1, Math.floor(load.connections / load.workers));
  const channels = Array.from({ length: count }, () => openChannel(task.target, task));
  const recorder = new Recorder();
  const call = createMakeCall(channels, {
    method,
    messages: task.messages.map((bytes) => fromBinary(method.input, bytes)),
    headers: new Headers(task.headers.map(([name, value]) => [name, value])),
    timeoutMs: load.timeoutMs,
    signal: controller.signal,
  });
  const startMs = performance.now();
  let measuredMs = load.durationMs;
  const progress = setInterval(
    () => port.postMessage({ kind: "progress", made: recorder.made } satisfies WorkerReport),
    progressMs,
  );
  try {
    await runLoad(load, share, call, recorder, controller.signal);
    if (controller.signal.aborted) measuredMs = Math.max(1, performance.now() - startMs - load.warmupMs);
  } finally {
    clearInterval(progress);
    await Promise.all(channels.map((channel) => channel.close({ deadlineMs: 0 })));
  }
  const { timings, counts, lastEndMs } = recorder;
  const { sent, succeeded, errors } = counts;
  const elapsedMs = Math.max(measuredMs, lastEndMs - load.warmupMs);
  port.postMessage({ kind: "result", timings, measuredMs, elapsedMs, sent, succeeded, errors } satisfies WorkerReport);
  // An open port would keep the thread alive.
  port.close();
}

function runLoad(
  load: Load,
  share: Share,
  call: ReturnType<typeof createMakeCall>,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const { mode, warmupMs, durationMs } = load;
  if (mode.kind === "closed") {
    const extra = share.index < mode.concurrency % share.of ? 1 : 0;
    const concurrency = Math.floor(mode.concurrency / share.of) + extra;
    return runClosedLoop(call, recorder, { concurrency, warmupMs, totalMs: warmupMs + durationMs, signal });
  }
  const [first] = mode.stages;
  const warmup = first === undefined || warmupMs === 0 ? [] : [{ durationMs: warmupMs, rate: first.rate }];
  const due = dueTimes([...warmup, ...mode.stages], share);
  return runOpenLoop(call, recorder, { due, warmupMs, maxInFlight: Math.ceil(load.maxInFlight / share.of), signal });
}
