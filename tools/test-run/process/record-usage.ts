// Loaded before every test file (node --import). When the file ends, it reports its usage to the runner.
import { relative, sep } from "node:path";
import { isMainThread } from "node:worker_threads";
import { appendUsage, usageSoFar } from "./process-usage.ts";

const testFile = process.argv[1] ?? "";
// Child processes and threads of a test may inherit the flags of this process.
if (isMainThread && /\.test\.[cm]?[jt]s$/.test(testFile)) {
  const root = process.cwd();
  process.on("exit", () => appendUsage({ file: relative(root, testFile).replaceAll(sep, "/"), ...usageSoFar() }));
}
