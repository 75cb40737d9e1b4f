import { killProcess, markedProcesses } from "./marked-processes.ts";

export interface StuckFilesOptions {
  /** The marker of the run whose processes are checked. */
  marker: string;
  /** The time limit of a test file. */
  limitMs: number;
  /** The interval of checks. */
  everyMs: number;
  onEnded(file: string): void;
}

/**
 * Ends test files that run too long. Node's own limit is a timer in the process of the test, which never
 * fires if the code under test loops. This watch is outside. Node then reports the file as
 * failed and continues with the next one. Returns a function that stops the watch.
 */
export function endStuckTestFiles({ marker, limitMs, everyMs, onEnded }: StuckFilesOptions): () => void {
  /** By process and file, because the title of a process with several files names the current one. */
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

/** Returns the test file of a process. A runner that a test started has its files after the option --test. */
function testFileOf(args: readonly string[]): string | undefined {
  return args.includes("--test") ? undefined : args.find((arg) => /\.test\.[cm]?[jt]s$/.test(arg));
}
