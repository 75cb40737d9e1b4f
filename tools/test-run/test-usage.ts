// What each test file took. The test files report it themselves (record-usage.ts), the runner prints the slowest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

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

/** The usage that test files have reported. A file that was killed has reported none, or a line that is cut off. */
export function readUsage(path: string): TestUsage[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").flatMap(parseUsage);
}

function parseUsage(line: string): TestUsage[] {
  try {
    return [JSON.parse(line) as TestUsage];
  } catch {
    return [];
  }
}

/** Keeps the usage for the next run, with what is known of files that did not run. Does nothing where its folder does not exist. */
export function keepUsage(path: string, usages: readonly TestUsage[]): void {
  if (!existsSync(dirname(path))) return;
  const latest = new Map([...readUsage(path), ...usages].map((one) => [one.file, one]));
  writeFileSync(path, [...latest.values()].map((one) => `${JSON.stringify(one)}\n`).join(""));
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
