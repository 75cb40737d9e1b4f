// What each test file took. The test files report it themselves (record-usage.ts), the runner prints the slowest.
import { readFileSync } from "node:fs";

/** Names the file to which each test file appends its usage, one line of JSON each. */
export const usageFileVariable = "TERCEL_TEST_USAGE";

export interface TestUsage {
  /** The path of the test file from the repository, with forward slashes. */
  readonly file: string;
  /** From the start of its process to its end. */
  readonly seconds: number;
  /** Processor time, that of the programs it has started included (only Linux reports that). */
  readonly cpuSeconds: number;
}

/** The usage that the test files of one run have reported; a file that was killed has reported none. */
export function readUsage(path: string): TestUsage[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TestUsage);
}

/** A table of the `count` files that took longest, and the processor time of all of them. */
export function describeSlowest(usages: readonly TestUsage[], count: number): string {
  const slowest = usages.toSorted((a, b) => b.seconds - a.seconds).slice(0, count);
  const cpuSeconds = usages.reduce((sum, one) => sum + one.cpuSeconds, 0);
  return [
    `the slowest of ${usages.length} test files (seconds, processor seconds):`,
    ...slowest.map((one) => `${format(one.seconds)} ${format(one.cpuSeconds)}  ${one.file}`),
    `processor seconds of all test files: ${cpuSeconds.toFixed(0)}`,
  ].join("\n");
}

function format(seconds: number): string {
  return seconds.toFixed(1).padStart(7);
}
