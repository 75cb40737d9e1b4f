import { runCommandLine } from "./command-line.ts";
import { Output } from "./frame/output.ts";
import { npmEchoWindowMs, ReaderGone, watchStopSignals } from "./frame/stop-signals.ts";

/** Runs a command line in this process, on its standard streams, and sets its exit code. */
export async function runProcess(args: readonly string[]): Promise<void> {
  const controller = new AbortController();
  const isStartedByNpm = process.env.npm_lifecycle_event !== undefined;
  const stopWatching = watchStopSignals(process, controller, { echoWindowMs: isStartedByNpm ? npmEchoWindowMs : 0 });
  let isStdinOpen = false;
  try {
    process.exitCode = await runCommandLine(args, {
      // Node opens standard input on first access, and most commands do not read it.
      get stdin() {
        isStdinOpen = true;
        return process.stdin;
      },
      stdout: new Output(process.stdout, () => controller.abort(new ReaderGone())),
      stderr: new Output(process.stderr),
      env: process.env,
      cwd: process.cwd(),
      signal: controller.signal,
    });
  } finally {
    stopWatching();
    // An open standard input would keep the process alive. A file has no handle to unref.
    if (isStdinOpen) process.stdin.unref?.();
  }
}
