// The program of an engine's thread: one job, then it ends.
import { Buffer } from "node:buffer";
import { parentPort, workerData } from "node:worker_threads";
import { toFailure } from "../failure/to-failure.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { createDirectRunner } from "./direct-runner.ts";
import type { RestoreJob } from "./perform-restore.ts";
import { createEventSender, type ThreadJob, type ToThread } from "./thread-messages.ts";

const port = parentPort;
if (port === null) throw new Error("engine-thread.ts runs as a worker thread only");

const controller = new AbortController();
port.on("message", (message: ToThread) => {
  if (message.kind === "cancel") controller.abort();
});
const runner = createDirectRunner(createNodeDurableFiles());
const sender = createEventSender((message) => port.postMessage(message));

async function run(job: ThreadJob): Promise<unknown> {
  if (job.kind === "write") return runner.write(job.job, sender.events, controller.signal);
  if (job.kind === "store") return runner.store(job.job, sender.events, controller.signal);
  if (job.kind === "restore") return runner.restore(withBuffers(job.job), sender.events, controller.signal);
  if (job.kind === "index") return runner.index(job.job, sender.events, controller.signal);
  if (job.kind === "verify") return runner.verify(job.job, sender.events, controller.signal);
  return runner.hash(job.path, controller.signal);
}

/** Buffers arrive as the Uint8Arrays that they are. */
function withBuffers(job: RestoreJob): RestoreJob {
  return { ...job, task: { ...job.task, paths: job.task.paths.map((path) => Buffer.from(path)) } };
}

try {
  const result = await run(workerData as ThreadJob);
  sender.flush();
  port.postMessage({ kind: "done", result });
} catch (error) {
  sender.flush();
  const failure = controller.signal.aborted
    ? ({ reason: "CANCELLED", message: "the job was cancelled" } as const)
    : toFailure(error);
  port.postMessage({ kind: "failed", failure });
} finally {
  port.close();
}
