import { killProcess, markedProcesses } from "./marked-processes.ts";

export interface StuckFilesOptions {
  /** Which run's processes to look at. */
  marker: string;
  /** A test file that has been running for longer is ended. */
  limitMs: number;
  /** How often to look. */
  everyMs: number;
  onEnded(file: string): void;
}

/**
 * Ends test files that run for too long. Node's own limit for a test is a timer in the process of that test, which never
 * fires when the code under test loops without returning; this one looks from outside. Node then reports the file as
 * failed and continues with the next. Returns a function that stops the watch.
 */
export function endStuckTestFiles({ marker, limitMs, everyMs, onEnded }: StuckFilesOptions): () => void {
  /** By process and file: the title of a process that runs several files names the one that it runs. */
  const firstSeen = new Map<string, number>();
  const timer = setInterval(() => {
    const running = markedProcesses(marker).flatMap(({ pid, args }) => {
      const file = testFileOf(args);
      return file === undefined ? [] : [{ pid, file, key: `${pid} ${file}` }];
    });
    const keys = new Set(running.map(({ key }) => key));
    for (const key of firstSeen.keys()) if (!keys.has(key)) firstSeen.delete(key);
    for (const { pid, file, key } of running) {
      const since = firstSeen.get(key) ?? performance.now();
      firstSeen.set(key, since);
      if (performance.now() - since < limitMs) continue;
      killProcess(pid);
      onEnded(file);
    }
  }, everyMs);
  return () => clearInterval(timer);
}

/** The test file that a process runs; a runner that a test has started names its files after its option --test. */
function testFileOf(args: readonly string[]): string | undefined {
  return args.includes("--test") ? undefined : args.find((arg) => /\.test\.[cm]?[jt]s$/.test(arg));
}
