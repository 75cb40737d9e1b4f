import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Failure, FailureError } from "../failure/failure.ts";
import { JobQueue, type QueuedJob } from "./job-queue.ts";

/** A job that ends when it is told, or when it is cancelled. */
function addJob(queue: JobQueue, path: string, givesWay = false) {
  const state = { started: false, refused: undefined as Failure | undefined, end: () => {} };
  const job: QueuedJob<string> = queue.add({
    uuid: `uuid of ${path}`,
    path,
    givesWay,
    run: (signal) =>
      new Promise((resolve, reject) => {
        state.started = true;
        state.end = () => resolve(path);
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      }),
    onNeverRun: (failure) => {
      state.refused = failure;
    },
  });
  job.done.catch(() => {});
  return Object.assign(state, { job });
}

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof FailureError) return error.failure.reason;
    throw error;
  }
  return "none";
}

describe("JobQueue", () => {
  it("runs so many jobs at once, and the others in their order", async () => {
    const queue = new JobQueue({ jobs: 2 });
    const [a, b, c] = ["a", "b", "c"].map((path) => addJob(queue, path)) as ReturnType<typeof addJob>[];
    assert.deepEqual([a?.started, b?.started, c?.started, queue.size], [true, true, false, 3]);
    b?.end();
    assert.equal(await b?.job.done, "b");
    await new Promise((wake) => setImmediate(wake));
    assert.ok(c?.started);
    await queue.close();
    assert.equal(queue.size, 0);
  });

  it("takes one job for a path, waiting ones too, and another when it has ended", async () => {
    const queue = new JobQueue({ jobs: 1 });
    const a = addJob(queue, "a");
    const b = addJob(queue, "b");
    assert.equal(
      reasonOf(() => queue.check("a")),
      "DESTINATION_BUSY",
    );
    assert.throws(
      () => addJob(queue, "b"),
      (error) => error instanceof FailureError && error.failure.uuid === "uuid of b",
    );
    b.job.cancel();
    a.end();
    await a.job.done;
    await new Promise((wake) => setImmediate(wake));
    assert.equal(
      reasonOf(() => queue.check("a")),
      "none",
    );
    assert.equal(
      reasonOf(() => queue.check("b")),
      "none",
    );
    await queue.close();
  });

  it("cancels a job that gives way when another is to work on its path", async () => {
    const queue = new JobQueue({ jobs: 2 });
    const yielding = addJob(queue, "a", true);
    const waiting = [addJob(queue, "b"), addJob(queue, "c", true)];
    assert.equal(queue.writerOf("a"), undefined);
    await queue.makeWay("a");
    await assert.rejects(yielding.job.done, { message: "aborted" });
    await queue.makeWay("c");
    const a = addJob(queue, "a");
    await queue.makeWay("a");
    assert.equal(queue.writerOf("a"), "uuid of a");
    a.end();
    assert.equal(await a.job.done, "a");
    for (const { job } of waiting) job.cancel();
    await queue.close();
  });

  it("lets a hundred jobs wait and refuses one more with a time to retry", async () => {
    const queue = new JobQueue({ jobs: 1 });
    for (let at = 0; at < 101; at++) addJob(queue, `path ${at}`);
    assert.throws(
      () => addJob(queue, "one more"),
      (error) =>
        error instanceof FailureError && error.failure.reason === "QUEUE_FULL" && error.failure.retryAfterMs === 10_000,
    );
    await queue.close();
  });

  it("never runs a job that is cancelled while it waits", async () => {
    const queue = new JobQueue({ jobs: 1 });
    const a = addJob(queue, "a");
    const b = addJob(queue, "b");
    b.job.cancel();
    await assert.rejects(b.job.done, { message: "the job was cancelled before it started" });
    assert.deepEqual([b.started, b.refused?.reason], [false, "CANCELLED"]);
    b.job.cancel();
    a.job.cancel();
    await assert.rejects(a.job.done, { message: "aborted" });
    await queue.close();
  });

  it("takes no more after close, and cancels what there is", async () => {
    const queue = new JobQueue({ jobs: 1 });
    const [a, b] = [addJob(queue, "a"), addJob(queue, "b")];
    await queue.close();
    await assert.rejects(a.job.done, { message: "aborted" });
    assert.equal(b.refused?.reason, "CANCELLED");
    assert.equal(
      reasonOf(() => addJob(queue, "c")),
      "STOPPING",
    );
  });
});
