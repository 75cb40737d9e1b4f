// Runs several test files in this process, one after the other. Each is a suite whose name is its path, so that hooks, results and
// times belong to their file.
import { join } from "node:path";
import { after, describe } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { endWhatIsKeptAlive } from "./leak-check.ts";
import { addedSince, listHandles, openHandles } from "./open-handles.ts";
import { changesBetween, readProcessState } from "./process-state.ts";
import { appendUsage, usageSoFar } from "./process-usage.ts";

/** Closing handles may take a few turns, and more on a busy machine. */
const graceTurns = 20;
const graceSteps = 20;
const graceStepMs = 50;

/** Runs the files, with paths relative to `root`. A file fails if it leaves something open or changes the state of the process. */
export async function runGroup(root: string, files: readonly string[]): Promise<void> {
  let spent = { seconds: 0, cpuSeconds: 0 };
  for (const file of files) {
    // Read by the watch that ends stuck test files.
    process.title = file;
    await runAsSuite(root, file);
    const now = usageSoFar();
    appendUsage({ file, seconds: now.seconds - spent.seconds, cpuSeconds: now.cpuSeconds - spent.cpuSeconds });
    spent = now;
  }
  endWhatIsKeptAlive(files.join(", "));
}

/** Resolves after the tests and hooks of the file, and the check of open handles. */
function runAsSuite(root: string, file: string): Promise<void> {
  return new Promise((resolve) => {
    describe(file, async () => {
      // Read here, after the runner has added its own listeners.
      const [handles, state] = [openHandles(), readProcessState()];
      // The runner keeps the process alive with a timer while a test waits for something that does not.
      const onLoopEmpty = (): void => {
        handles.push("Timeout");
      };
      process.once("beforeExit", onLoopEmpty);
      try {
        await import(pathToFileURL(join(root, file)).href);
      } finally {
        // The last hook of the suite. The hooks of the file were added before.
        after(async () => {
          try {
            await untilClosed(file, handles);
            const changes = changesBetween(state, readProcessState());
            if (changes.length > 0) throw new Error(`changed in the process by ${file}: ${changes.join(", ")}`);
          } finally {
            process.off("beforeExit", onLoopEmpty);
            resolve();
          }
        });
      }
    });
  });
}

async function untilClosed(file: string, before: readonly string[]): Promise<void> {
  const left = (): string[] => addedSince(before, openHandles());
  for (let turns = 0; turns < graceTurns && left().length > 0; turns++) await turn();
  for (let steps = 0; steps < graceSteps && left().length > 0; steps++) await sleep(graceStepMs);
  if (left().length > 0) throw new Error(`left open after the last test of ${file}: ${listHandles(left())}`);
}
