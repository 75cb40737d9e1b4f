#!/usr/bin/env node
// The program. What a command needs is loaded when it runs, so that --version and a completion cost no more than Node itself.
import { isMainThread } from "node:worker_threads";
import { ownVersion } from "./version.ts";

const args = process.argv.slice(2);
if (!isMainThread) {
  const { runBenchWorker } = await import("./bench/worker.ts");
  await runBenchWorker();
} else if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  process.stdout.write(`${ownVersion()}\n`);
} else {
  const { runProcess } = await import("./run-process.ts");
  await runProcess(args);
}
