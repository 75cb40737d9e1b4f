// `npm test` runs the test files of this repository, and `npm test -- hpack timeout` those whose path contains one of
// the words. Options of Node's runner may follow in the form --test-…=…. With --alone each file has its own process, and --long
// runs the files that `npm test` omits (see long-tests.ts). At the end it checks that every file finished, and that nothing was left
// behind. The working directory is the repository, which npm sets.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { programFolderVariable } from "@tercel/test-support/built-programs";
import { openCompileCache } from "./compile-cache.ts";
import { groupTestFiles } from "./group-test-files.ts";
import { leftFiles, leftProcesses, untrackedFiles } from "./left-behind.ts";
import { markerVariable } from "./marked-processes.ts";
import { needsOwnProcess } from "./needs-own-process.ts";
import { orderGroups } from "./order-groups.ts";
import type { OrderedRun } from "./run-in-order.ts";
import { selectTestFiles } from "./select-test-files.ts";
import { endStuckTestFiles } from "./stuck-test-files.ts";
import { describeSlowest, keepUsage, readUsage, usageFileVariable } from "./test-usage.ts";

/** The time limit of a test. The slowest one builds, packs and installs every package. */
const testTimeoutMs = 300_000;
/** The time limit of a file, which may have several slow tests. */
const fileTimeoutMs = 2 * testTimeoutMs;
/**
 * Node would leave a core to the runner, which hardly needs it. Tests wait as much as they compute, so two more processes than
 * cores run at once.
 */
const filesAtOnce = availableParallelism() + 2;
/** The number of slowest files that a run names at its end. A run of fewer files names none. */
const slowestShown = 10;

interface Selection {
  /** Parts of paths of test files; none selects all. */
  readonly words: readonly string[];
  /** Options of Node's runner. */
  readonly nodeOptions: readonly string[];
  /** Whether each file has its own process, even if it could share one. */
  readonly isAlone: boolean;
  /** Whether to run only long files. */
  readonly longOnly: boolean;
}

async function runTests(root: string, { words, nodeOptions, isAlone, longOnly }: Selection): Promise<number> {
  const { files, leftOut } = selectTestFiles(root, words, longOnly);
  if (files.length === 0) {
    console.error(
      words.length === 0 ? "there are no test files" : `no test file's path contains ${words.join(" or ")}`,
    );
    return 1;
  }
  const untrackedBefore = new Set(untrackedFiles(root));
  // A separate temporary folder shows what this suite leaves, apart from other programs.
  const tempFolder = mkdtempSync(join(tmpdir(), "tercel-test-run-"));
  // Servers that refuse to run as root, such as PostgreSQL, must be able to reach their folders in it.
  chmodSync(tempFolder, 0o711);
  // Outside of that folder, which must be empty at the end.
  const usageFolder = mkdtempSync(join(tmpdir(), "tercel-test-usage-"));
  const usageFile = join(usageFolder, "usage.jsonl");
  writeFileSync(usageFile, "");
  const programFolder = join(usageFolder, "programs");
  mkdirSync(programFolder);
  // Programs of tests also run as other users.
  chmodSync(usageFolder, 0o711);
  const marker = randomUUID();
  const stopWatching = endStuckTestFiles({
    marker,
    limitMs: fileTimeoutMs,
    everyMs: 5000,
    onEnded: (file) => console.error(`ended ${file}: it ran for more than ${fileTimeoutMs / 1000} s`),
  });
  try {
    const usageBefore = join(root, ".cache", "test-usage.jsonl");
    const usagesBefore = readUsage(usageBefore);
    const groups = groupTestFiles({
      files,
      usages: usagesBefore,
      isAlone: (file) => isAlone || needsOwnProcess(readFileSync(join(root, file), "utf8")) !== undefined,
    });
    const programs = orderGroups(groups, usagesBefore).map((group, at) =>
      group.length === 1 ? (group[0] ?? "") : writeGroupProgram(usageFolder, root, group, at),
    );
    let exitCode = await runNode(root, nodeOptions, programs, {
      TMPDIR: tempFolder,
      NODE_COMPILE_CACHE: openCompileCache(process.env.NODE_COMPILE_CACHE),
      [markerVariable]: marker,
      [usageFileVariable]: usageFile,
      [programFolderVariable]: programFolder,
    });
    const usages = readUsage(usageFile);
    for (const file of groups.filter(({ length }) => length > 1).flat()) {
      if (usages.some((usage) => usage.file === file)) continue;
      console.error(`did not run to its end: ${file}`);
      if (exitCode === 0) exitCode = 1;
    }
    if (files.length > slowestShown) {
      console.log(describeSlowest(usages, slowestShown));
      keepUsage(usageBefore, usages);
    }
    if (leftOut.length > 0) {
      console.log(`left out, because they are long: ${leftOut.join(", ")}; run them by: npm test -- --long`);
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

/** Writes a program that runs the group in its process. Its name does not end like a test file, which would be checked as a whole. */
function writeGroupProgram(folder: string, root: string, group: readonly string[], at: number): string {
  const file = join(folder, `group-${at + 1}.mjs`);
  const runner = pathToFileURL(join(import.meta.dirname, "process", "run-group.ts")).href;
  writeFileSync(
    file,
    `import { runGroup } from ${JSON.stringify(runner)};\nawait runGroup(${JSON.stringify(root)}, ${JSON.stringify(group)});\n`,
  );
  return file;
}

/** Recordings that UPDATE_GOLDEN=1 writes are untracked until they are committed. */
function isNewRecording(file: string): boolean {
  return process.env.UPDATE_GOLDEN === "1" && /\/golden\/.+\.txt$/.test(file);
}

/** Runs Node's test runner with this process's output streams. Resolves to its exit code. */
function runNode(
  root: string,
  nodeOptions: readonly string[],
  files: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const preloaded = ["leak-check.ts", "record-usage.ts"].flatMap((name) => [
    "--import",
    join(import.meta.dirname, "process", name),
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
    // The terminal interrupts the runner too. This process stays to clean up after it.
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

const aloneOption = "--alone";
const longOption = "--long";
const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith("-"));
const nodeOptions = args.filter((arg) => arg.startsWith("-") && ![aloneOption, longOption].includes(arg));
const unknown = nodeOptions.find((arg) => !/^--test-[a-z-]+=/.test(arg));
if (unknown !== undefined) {
  console.error(
    `unknown option ${unknown}: give words of file names, ${aloneOption}, ${longOption}, or options of node's runner as --test-name=value`,
  );
  process.exitCode = 2;
} else {
  // If a pattern matched no test of a file, Node would omit the suite of the file in a group.
  const choosesTests = nodeOptions.some((option) => !option.startsWith("--test-reporter="));
  process.exitCode = await runTests(process.cwd(), {
    words,
    nodeOptions,
    isAlone: choosesTests || args.includes(aloneOption),
    longOnly: args.includes(longOption),
  });
}
