// The time and CPU time of each test file. The files report it themselves (record-usage.ts), and the runner prints the slowest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The variable with the path of the file to which each test file appends its usage as a line of JSON. */
export const usageFileVariable = "TERCEL_TEST_USAGE";

export interface TestUsage {
  /** The path of the test file from the repository, with forward slashes. */
  readonly file: string;
  /** From the start of its process to its end. */
  readonly seconds: number;
  /** CPU time. On Linux it includes child processes. */
  readonly cpuSeconds: number;
}

/** Returns the reported usage. A killed file may have reported nothing, or an incomplete line. */
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

/** Stores the usage for the next run, with that of files that did not run. Does nothing if its folder does not exist. */
export function keepUsage(path: string, usages: readonly TestUsage[]): void {
  if (!existsSync(dirname(path))) return;
  const latest = new Map([...readUsage(path), ...usages].map((one) => [one.file, one]));
  writeFileSync(path, [...latest.values()].map((one) => `${JSON.stringify(one)}\n`).join(""));
}

/** Returns a table of the `count` slowest files, and the CPU time of all files. */
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
