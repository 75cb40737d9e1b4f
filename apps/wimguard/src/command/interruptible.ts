/** Exit codes of processes ended by a signal. */
const exitCodeOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;

/** Thrown when a signal has cancelled a job and the job has ended. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: keyof typeof exitCodeOfSignal) {
    super("cancelled: nothing was left behind");
    this.exitCode = exitCodeOfSignal[signal];
  }
}

/**
 * Runs a job that Ctrl-C cancels: the first signal aborts it and waits for its end, a second one exits at once.
 *
 * @param onCancel called at the first signal
 * @throws Interrupted when a signal cancelled the job
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  onCancel: () => void,
): Promise<Result> {
  const controller = new AbortController();
  let received: keyof typeof exitCodeOfSignal | undefined;
  const onSignal = (signal: keyof typeof exitCodeOfSignal): void => {
    if (received !== undefined) process.exit(exitCodeOfSignal[signal]);
    received = signal;
    onCancel();
    controller.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (received !== undefined) throw new Interrupted(received);
    throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
