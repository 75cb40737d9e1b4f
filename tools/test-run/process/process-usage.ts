// What this process has taken since it was started, and how it reports that to the runner of the tests.
import { appendFileSync, readFileSync } from "node:fs";
import { type TestUsage, usageFileVariable } from "../test-usage.ts";

/** Linux counts processor time for programs in hundredths of a second, on every architecture that Node supports. */
const ticksPerSecond = 100;

const usageFile = process.env[usageFileVariable];

/** From the start of this process; processor time of the programs that it has started is included once they have ended. */
export function usageSoFar(): Omit<TestUsage, "file"> {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 + childSeconds() };
}

export function appendUsage(usage: TestUsage): void {
  if (usageFile === undefined) return;
  try {
    appendFileSync(usageFile, `${JSON.stringify(usage)}\n`);
  } catch {
    // A figure that cannot be written is not a reason to fail a test.
  }
}

/** Processor time of the child processes that have ended, and of theirs. */
function childSeconds(): number {
  if (process.platform !== "linux") return 0;
  // proc(5): cutime and cstime are the 16th and 17th field; the second, the name in parentheses, may hold spaces.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
