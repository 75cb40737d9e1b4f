// Loaded before every test file (node --import). A file whose tests have ended while something still keeps its process
// alive would hang the suite; here it fails, and what is left is named. Files that share a process are checked one by one as well.
import { after } from "node:test";
import { listHandles, openHandles } from "./open-handles.ts";

/**
 * Closing what a test opened may take a few turns, and hooks of the file itself run after ours. A second in many steps, because a
 * process that a busy machine lets stand still for that long has had no turn in it.
 */
const graceSteps = 20;
const graceStepMs = 50;

// Child processes that a test starts may inherit the flags of this one: only test files are checked.
if (/\.test\.[cm]?[jt]s$/.test(process.argv[1] ?? "")) {
  // Runs once the last test has ended, even while handles keep the event loop alive.
  after(() => endWhatIsKeptAlive(process.argv[1] ?? ""));
}

/** Ends this process when it is still alive after a while. The timers themselves do not keep it alive, so something else does. */
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
