// Runs the test files of this repository: `npm test`, or `npm test -- hpack timeout` for those whose path contains one of
// the words. Options of node's own runner may follow in the form --test-…=…. Afterwards it verifies that the suite left
// nothing behind. The repository is the working directory, which npm sets.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { openCompileCache } from "./compile-cache.ts";
import { leftFiles, leftProcesses, untrackedFiles } from "./left-behind.ts";
import { markerVariable } from "./marked-processes.ts";
import { orderTestFiles } from "./order-test-files.ts";
import type { OrderedRun } from "./run-in-order.ts";
import { selectTestFiles } from "./select-test-files.ts";
import { endStuckTestFiles } from "./stuck-test-files.ts";
import { describeSlowest, keepUsage, readUsage, usageFileVariable } from "./test-usage.ts";

/** A test that takes longer is stuck. The slowest one builds, packs and installs every package. */
const testTimeoutMs = 300_000;
/** Room for several slow tests in one file. */
const fileTimeoutMs = 2 * testTimeoutMs;
/**
 * Node itself would leave a core to the runner, which hardly needs it; and tests wait as much as they compute, so there is
 * work for two files more than there are cores.
 */
const filesAtOnce = availableParallelism() + 2;
/** How many of the slowest files a run names at its end; a run of fewer files names none. */
const slowestShown = 10;

async function runTests(root: string, words: readonly string[], nodeOptions: readonly string[]): Promise<number> {
  const files = selectTestFiles(root, words);
  if (files.length === 0) {
    console.error(
      words.length === 0 ? "there are no test files" : `no test file's path contains ${words.join(" or ")}`,
    );
    return 1;
  }
  const untrackedBefore = new Set(untrackedFiles(root));
  // A temp folder of its own tells what this suite leaves from what other programs put into the machine's.
  const tempFolder = mkdtempSync(join(tmpdir(), "tercel-test-run-"));
  // Servers that refuse to run as root, PostgreSQL for one, have to get through to their folders in it.
  chmodSync(tempFolder, 0o711);
  // Outside of that folder, which has to be empty at the end.
  const usageFolder = mkdtempSync(join(tmpdir(), "tercel-test-usage-"));
  const usageFile = join(usageFolder, "usage.jsonl");
  writeFileSync(usageFile, "");
  const marker = randomUUID();
  const stopWatching = endStuckTestFiles({
    marker,
    limitMs: fileTimeoutMs,
    everyMs: 5000,
    onEnded: (file) => console.error(`ended ${file}: it ran for more than ${fileTimeoutMs / 1000} s`),
  });
  try {
    const usageBefore = join(root, ".cache", "test-usage.jsonl");
    const exitCode = await runNode(root, nodeOptions, orderTestFiles(files, readUsage(usageBefore)), {
      TMPDIR: tempFolder,
      NODE_COMPILE_CACHE: openCompileCache(process.env.NODE_COMPILE_CACHE),
      [markerVariable]: marker,
      [usageFileVariable]: usageFile,
    });
    if (files.length > slowestShown) {
      const usages = readUsage(usageFile);
      console.log(describeSlowest(usages, slowestShown));
      keepUsage(usageBefore, usages);
    }
    const left = [
      ...(await leftProcesses(marker)),
      ...leftFiles(tempFolder),
      ...untrackedFiles(root)
        .filter((file) => !untrackedBefore.has(file) && !isNewRecording(file))
        .map((file) => `untracked file ${file}`),
    ];
    for (const one of left) console.error(`the tests left behind: ${one}`);
    return exitCode === 0 && left.length > 0 ? 1 : exitCode;
  } finally {
    stopWatching();
    rmSync(tempFolder, { recursive: true, force: true });
    rmSync(usageFolder, { recursive: true, force: true });
  }
}

/** A recording that UPDATE_GOLDEN=1 asks for is new until it is committed. */
function isNewRecording(file: string): boolean {
  return process.env.UPDATE_GOLDEN === "1" && /\/golden\/.+\.txt$/.test(file);
}

/** Runs node's test runner with our output streams; resolves to its exit code. */
function runNode(
  root: string,
  nodeOptions: readonly string[],
  files: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const preloaded = ["leak-check.ts", "record-usage.ts"].flatMap((name) => [
    "--import",
    join(import.meta.dirname, name),
  ]);
  const orderedRun: OrderedRun = {
    files,
    filesAtOnce,
    nodeOptions: ["--conditions=source", `--test-timeout=${testTimeoutMs}`, ...preloaded, ...nodeOptions],
  };
  const program = [join(import.meta.dirname, "run-in-order.ts"), JSON.stringify(orderedRun)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, program, {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...environment },
    });
    // The terminal interrupts the runner as well; we stay to clean up behind it.
    const forward = (signal: NodeJS.Signals): void => {
      if (signal !== "SIGINT") child.kill(signal);
    };
    process.on("SIGINT", forward).on("SIGTERM", forward);
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGINT", forward).off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}

const args = process.argv.slice(2);
const nodeOptions = args.filter((arg) => arg.startsWith("-"));
const unknown = nodeOptions.find((arg) => !/^--test-[a-z-]+=/.test(arg));
if (unknown !== undefined) {
  console.error(
    `unknown option ${unknown}: give words of file names, or options of node's runner as --test-name=value`,
  );
  process.exitCode = 2;
} else {
  const words = args.filter((arg) => !arg.startsWith("-"));
  process.exitCode = await runTests(process.cwd(), words, nodeOptions);
}
