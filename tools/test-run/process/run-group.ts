// Runs several test files in this process, one after the other. Each is a suite with its path as its name, so that hooks, results and
// times stay with their file.
import { join } from "node:path";
import { after, describe } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { endWhatIsKeptAlive } from "./leak-check.ts";
import { addedSince, listHandles, openHandles } from "./open-handles.ts";
import { changesBetween, readProcessState } from "./process-state.ts";
import { appendUsage, usageSoFar } from "./process-usage.ts";

/** What a test closes may take a few turns, and more of them on a busy machine. */
const graceTurns = 20;
const graceSteps = 20;
const graceStepMs = 50;

/** The paths are relative to `root`. A file that leaves something open, or changed in the process, fails. */
export async function runGroup(root: string, files: readonly string[]): Promise<void> {
  let spent = { seconds: 0, cpuSeconds: 0 };
  for (const file of files) {
    // Read by the watch that ends test files which are stuck.
    process.title = file;
    await runAsSuite(root, file);
    const now = usageSoFar();
    appendUsage({ file, seconds: now.seconds - spent.seconds, cpuSeconds: now.cpuSeconds - spent.cpuSeconds });
    spent = now;
  }
  endWhatIsKeptAlive(files.join(", "));
}

/** Resolves once the tests of the file, its hooks, and the check of what it has left have ended. */
function runAsSuite(root: string, file: string): Promise<void> {
  return new Promise((resolve) => {
    describe(file, async () => {
      // Read here, where the runner has added its own listeners.
      const [handles, state] = [openHandles(), readProcessState()];
      // When a test waits for what does not keep the process alive, the runner does, by a timer of its own.
      const onLoopEmpty = (): void => {
        handles.push("Timeout");
      };
      process.once("beforeExit", onLoopEmpty);
      try {
        await import(pathToFileURL(join(root, file)).href);
      } finally {
        // The last hook of the suite: those of the file were added before it.
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
