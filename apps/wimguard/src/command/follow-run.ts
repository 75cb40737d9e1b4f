import { Code, ConnectError } from "@connectrpc/connect";
import type { WimGuard } from "../client/connect.ts";
import { type Run, RunState } from "../gen/wimguard/v1/common_pb.ts";
import type { Console } from "./console.ts";
import { interruptible } from "./interruptible.ts";

/** Shows the progress of a run and resolves to its last state. */
export async function runToEnd(updates: AsyncIterable<Run>, output: Console): Promise<Run> {
  for await (const run of updates) {
    if (run.state >= RunState.COMPLETED) return run;
    const { progress, uuid } = run;
    if (run.state !== RunState.RUNNING || progress === undefined) continue;
    const { bytesDone, bytesTotal, phase } = progress;
    output.progress({ uuid, bytesDone: Number(bytesDone), bytesTotal: Number(bytesTotal), phase });
  }
  throw new ConnectError("the stream ended before the run did", Code.Internal);
}

/** Yields the states of a run until it ends. */
export async function* statesOf(wim: WimGuard, { uuid, revision }: Run, signal?: AbortSignal): AsyncGenerator<Run> {
  const request = { afterRevision: revision - 1n };
  for await (const { run } of wim.schedule.watchRuns(request, signal && { signal })) if (run?.uuid === uuid) yield run;
}

/**
 * Follows a run that continues without this command. Ctrl-C cancels the run and waits for its end.
 *
 * @throws ConnectError of a failed run, the same as that of its own call
 */
export async function followToEnd(wim: WimGuard, run: Run, output: Console): Promise<Run> {
  return interruptible(
    async (signal) => {
      const cancel = (): void => void wim.schedule.cancelRun({ uuid: run.uuid }).catch(() => {});
      signal.addEventListener("abort", cancel, { once: true });
      return requireGood(await runToEnd(statesOf(wim, run), output));
    },
    () => output.cancelling(),
  );
}

/** Returns a successful run. @throws ConnectError of a failed run */
export function requireGood(run: Run): Run {
  const { error } = run;
  if (error === undefined) return run;
  const thrown = new ConnectError(error.message, error.code);
  thrown.details = error.details.map(({ typeUrl, value }) => ({ type: typeUrl.replace(/^.*\//, ""), value }));
  throw thrown;
}
