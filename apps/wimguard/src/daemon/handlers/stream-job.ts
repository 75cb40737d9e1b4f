import type { QueuedJob } from "../../jobs/job-queue.ts";
import type { JobProgress, ProgressFeed } from "../../progress/progress-feed.ts";
import { failing } from "./failing.ts";

/** An accepted job. */
export interface StartedJob<Result> {
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<Result>;
}

/** Converts the states of a job to messages. */
export interface JobMessages<Result, Message> {
  readonly started: Message;
  progress(progress: JobProgress): Message;
  /** Returns the last messages of a completed job. */
  completed(result: Result): readonly Message[];
  failed(text: string, error: unknown): Message;
}

/**
 * Streams a job to the client that started it: started, progress and end. A failed job ends with a message and then its status. If the call
 * ends early, by cancellation, deadline or disconnect, the job is cancelled, and the call ends when the job has cleaned up.
 */
export async function* streamJob<Result, Message>(
  { feed, job }: StartedJob<Result>,
  signal: AbortSignal,
  messages: JobMessages<Result, Message>,
): AsyncGenerator<Message> {
  const cancel = (): void => job.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    yield messages.started;
    for await (const progress of feed) yield messages.progress(progress);
    yield* messages.completed(await job.done);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    yield messages.failed(error instanceof Error ? error.message : String(error), error);
    await failing(() => Promise.reject(error));
  } finally {
    // When the client disconnects, the generator returns at a yield.
    signal.removeEventListener("abort", cancel);
    cancel();
    await job.done.catch(() => {});
  }
}
