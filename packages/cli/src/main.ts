#!/usr/bin/env node
// The program. What a command needs is loaded when it runs, so that --version and a completion cost no more than Node itself.
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
  // What comes next may not even load there.
  process.stderr.write(
    `error: Node ${process.version} is older than ${oldestNode}\nhint: install Node ${oldestNode} or newer\n`,
  );
  process.exitCode = 1;
} else {
  const { runProcess } = await import("./run-process.ts");
  await runProcess(args);
}
