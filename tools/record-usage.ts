// Loaded before every test file (node --import). When the file ends, it reports what it took to the runner.
import { appendFileSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { isMainThread } from "node:worker_threads";
import { type TestUsage, usageFileVariable } from "./test-usage.ts";

/** Linux counts processor time for programs in hundredths of a second, on every architecture that Node supports. */
const ticksPerSecond = 100;

const usageFile = process.env[usageFileVariable];
const testFile = process.argv[1] ?? "";
// Child processes and threads that a test starts may inherit the flags of this process.
if (usageFile !== undefined && isMainThread && /\.test\.[cm]?[jt]s$/.test(testFile)) {
  const root = process.cwd();
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    const usage: TestUsage = {
      file: relative(root, testFile).replaceAll(sep, "/"),
      seconds: performance.now() / 1000,
      cpuSeconds: (user + system) / 1e6 + childSeconds(),
    };
    try {
      appendFileSync(usageFile, `${JSON.stringify(usage)}\n`);
    } catch {
      // A figure that cannot be written is no reason to fail a test.
    }
  });
}

/** Processor time of the child processes that have ended, and of theirs. */
function childSeconds(): number {
  if (process.platform !== "linux") return 0;
  // proc(5): cutime and cstime are the 16th and 17th field; the second, the name in parentheses, may hold spaces.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
