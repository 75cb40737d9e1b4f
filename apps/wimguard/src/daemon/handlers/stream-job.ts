import type { QueuedJob } from "../../jobs/job-queue.ts";
import type { JobProgress, ProgressFeed } from "../../progress/progress-feed.ts";
import { failing } from "./failing.ts";

/** A job that was accepted. */
export interface StartedJob<Result> {
  readonly feed: ProgressFeed;
  readonly job: QueuedJob<Result>;
}

/** What a client is sent of a job. */
export interface JobMessages<Result, Message> {
  readonly started: Message;
  progress(progress: JobProgress): Message;
  /** The last message says that the job is completed. */
  completed(result: Result): readonly Message[];
  failed(text: string, error: unknown): Message;
}

/**
 * Streams a job to the client that has started it: started, progress, and its end. A job that fails ends with a message and then with its
 * status. When the call ends early, because it is cancelled, its time is up or its client is gone, the job is cancelled, and the call has
 * ended when nothing of the job is left.
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
    // A client that has gone ends the generator at a yield.
    signal.removeEventListener("abort", cancel);
    cancel();
    await job.done.catch(() => {});
  }
}
