// Loaded before every test file (node --import). If something keeps the process alive after the last test, the suite would
// hang. Instead the file fails, and the message names the open handles. Files that share a process are also checked one by one.
import { after } from "node:test";
import { listHandles, openHandles } from "./open-handles.ts";

/**
 * Closing handles may take a few turns, and hooks of the file itself run after this one. A second in many steps, because on a
 * busy machine a process may get no turn for that long.
 */
const graceSteps = 20;
const graceStepMs = 50;

// Child processes of a test may inherit the flags of this process. Only test files are checked.
if (/\.test\.[cm]?[jt]s$/.test(process.argv[1] ?? "")) {
  // Runs after the last test, even while handles keep the event loop alive.
  after(() => endWhatIsKeptAlive(process.argv[1] ?? ""));
}

/** Ends this process if it is still alive after the delay. These timers do not keep it alive, so something else does. */
export function endWhatIsKeptAlive(name: string): void {
  let stepsLeft = graceSteps;
  const step = (): void => {
    if (--stepsLeft > 0) {
      setTimeout(step, graceStepMs).unref();
      return;
    }
    console.error(`left open after the last test of ${name}: ${listHandles(openHandles())}`);
    process.exit(1);
  };
  setTimeout(step, graceStepMs).unref();
}
