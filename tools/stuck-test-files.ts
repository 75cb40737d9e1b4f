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
 * failed and goes on with the next. Returns a function that stops the watch.
 */
export function endStuckTestFiles({ marker, limitMs, everyMs, onEnded }: StuckFilesOptions): () => void {
  const firstSeen = new Map<number, number>();
  const timer = setInterval(() => {
    const running = markedProcesses(marker);
    const pids = new Set(running.map(({ pid }) => pid));
    for (const pid of firstSeen.keys()) if (!pids.has(pid)) firstSeen.delete(pid);
    for (const { pid, args } of running) {
      const file = testFileOf(args);
      if (file === undefined) continue;
      const since = firstSeen.get(pid) ?? performance.now();
      firstSeen.set(pid, since);
      if (performance.now() - since < limitMs) continue;
      killProcess(pid);
      onEnded(file);
    }
  }, everyMs);
  return () => clearInterval(timer);
}

/** The one test file a process runs; the runner itself names all of them, behind its option --test. */
function testFileOf(args: readonly string[]): string | undefined {
  return args.includes("--test") ? undefined : args.find((arg) => /\.test\.[cm]?[jt]s$/.test(arg));
}
