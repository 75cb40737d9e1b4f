import { Buffer } from "node:buffer";
import { Worker } from "node:worker_threads";
import type { EngineEvents } from "../engine/engine.ts";
import { FailureError } from "../failure/failure.ts";
import { toFailure } from "../failure/to-failure.ts";
import type { EngineRunner } from "./engine-runner.ts";
import type { PerformedRestore } from "./perform-restore.ts";
import type { PerformedVerify } from "./perform-verify.ts";
import type { PerformedWrite } from "./perform-write.ts";
import { deliverEvent, type FromThread, type ThreadJob, type ToThread } from "./thread-messages.ts";

/** An engine's program has 5 s after SIGTERM; a thread that has not ended after this has lost it. */
const cancelTimeoutMs = 10_000;

const noEvents: EngineEvents = { onPhase() {}, onTotal() {}, onBytes() {}, onReached() {}, onWarning() {} };

/** Runs each job in a thread of its own, so that hashing and compressing keep no call waiting. */
export function createThreadRunner(): EngineRunner {
  return {
    write: async (job, events, signal) => (await runInThread({ kind: "write", job }, events, signal)) as PerformedWrite,
    store: async (job, events, signal) => (await runInThread({ kind: "store", job }, events, signal)) as PerformedWrite,
    restore: async (job, events, signal) =>
      (await runInThread({ kind: "restore", job }, events, signal)) as PerformedRestore,
    index: async (job, events, signal) => (await runInThread({ kind: "index", job }, events, signal)) as PerformedWrite,
    verify: async (job, events, signal) =>
      (await runInThread({ kind: "verify", job }, events, signal)) as PerformedVerify,
    hash: async (path, signal) => (await runInThread({ kind: "hash", path }, noEvents, signal)) as string,
  };
}

/** The built program is JavaScript. */
const threadFile = new URL(`./engine-thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

function runInThread(job: ThreadJob, events: EngineEvents, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.reject(cancelled());
  const worker = new Worker(threadFile, { workerData: job });
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    worker.postMessage({ kind: "cancel" } satisfies ToThread);
    timer = setTimeout(() => void worker.terminate(), cancelTimeoutMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return new Promise((resolve, reject) => {
    let end: { readonly result: unknown } | { readonly error: unknown } = {
      error: new FailureError({ reason: "ENGINE_DIED", message: "the engine's thread ended without a result" }),
    };
    worker.on("message", (message: FromThread) => {
      if (message.kind === "done") end = { result: message.result };
      else if (message.kind === "failed") end = { error: new FailureError(message.failure) };
      else deliverEvent(withBuffers(message), events);
    });
    worker.on("error", (error) => {
      end = { error: new FailureError(toFailure(error), error) };
    });
    worker.on("exit", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if ("result" in end) resolve(end.result);
      else reject(signal.aborted ? cancelled() : end.error);
    });
  });
}

/** A Buffer arrives as the Uint8Array that it is. */
function withBuffers(message: FromThread): FromThread {
  if (message.kind !== "warning") return message;
  const { path } = message.warning;
  return { ...message, warning: { ...message.warning, path: Buffer.from(path.buffer, path.byteOffset, path.length) } };
}

function cancelled(): FailureError {
  return new FailureError({ reason: "CANCELLED", message: "the job was cancelled" });
}
