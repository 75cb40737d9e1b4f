// Measures the time and CPU time of this process, and reports it to the test runner.
import { appendFileSync, readFileSync } from "node:fs";
import { type TestUsage, usageFileVariable } from "../test-usage.ts";

/** The clock ticks of Linux: hundredths of a second, on every architecture that Node supports. */
const ticksPerSecond = 100;

const usageFile = process.env[usageFileVariable];

/** Since the start of this process. Includes the CPU time of child processes that have ended. */
export function usageSoFar(): Omit<TestUsage, "file"> {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 + childSeconds() };
}

export function appendUsage(usage: TestUsage): void {
  if (usageFile === undefined) return;
  try {
    appendFileSync(usageFile, `${JSON.stringify(usage)}\n`);
  } catch {
    // A test must not fail because its usage cannot be written.
  }
}

/** Returns the CPU time of child processes that have ended, including theirs. */
function childSeconds(): number {
  if (process.platform !== "linux") return 0;
  // proc(5): cutime and cstime are fields 16 and 17. Field 2, the name in parentheses, may contain spaces.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
