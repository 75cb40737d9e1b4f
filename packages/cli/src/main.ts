#!/usr/bin/env node
// The program. A command's code is loaded when it runs, so that --version and completions cost no more than Node itself.
import { isMainThread } from "node:worker_threads";
import { isNodeSupported, oldestNode } from "./node-version.ts";
import { ownVersion } from "./version.ts";

const args = process.argv.slice(2);
if (!isMainThread) {
  const { runBenchWorker } = await import("./bench/worker.ts");
  await runBenchWorker();
} else if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  process.stdout.write(`${ownVersion()}\n`);
} else if (!isNodeSupported(process.version)) {
  // The modules below may not load in older versions.
  process.stderr.write(
    `error: Node ${process.version} is older than ${oldestNode}\nhint: install Node ${oldestNode} or newer\n`,
  );
  process.exitCode = 1;
} else {
  const { runProcess } = await import("./run-process.ts");
  await runProcess(args);
}
