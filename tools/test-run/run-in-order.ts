// Runs test files with Node's runner in the given order; its command line would sort them by name. The only argument
// is JSON, because with the path of a test file as an argument, this process would look like that test file.
import { relative } from "node:path";
import { run } from "node:test";
import { dot, junit, spec, tap } from "node:test/reporters";
import { describeSkipped, failsOnSkipped } from "./skipped-tests.ts";

export interface OrderedRun {
  readonly files: readonly string[];
  /** How many files run at a time. */
  readonly filesAtOnce: number;
  /** Options of Node for each file. */
  readonly nodeOptions: readonly string[];
}

const reporters = new Map<string, Parameters<ReturnType<typeof run>["compose"]>[0]>([
  ["spec", new spec()],
  ["tap", tap],
  ["dot", dot],
  ["junit", junit],
]);
const reporterOption = "--test-reporter=";

const { files, filesAtOnce, nodeOptions } = JSON.parse(process.argv[2] ?? "") as OrderedRun;
const name = nodeOptions.find((option) => option.startsWith(reporterOption))?.slice(reporterOption.length) ?? "spec";
const reporter = reporters.get(name);
if (reporter === undefined) throw new Error(`unknown reporter "${name}": expected ${[...reporters.keys()].join(", ")}`);

const report = run({
  files,
  concurrency: filesAtOnce,
  // The files report to this process in Node's own format, so reporters do not apply to them.
  execArgv: nodeOptions.filter((option) => !option.startsWith(reporterOption)),
});
report.on("test:summary", ({ file, success }) => {
  // The summary of a file has its name, and the summary of the run has no name.
  if (file === undefined && !success) process.exitCode = 1;
});
// Node counts skipped tests, but not the tests in a skipped suite.
const skipped: string[] = [];
report.on("test:pass", ({ file = "", name: title, skip, details: { type } }) => {
  const reason = skip === "" || skip;
  if (reason === undefined || reason === false) return;
  skipped.push(describeSkipped({ file: relative(process.cwd(), file), title, isSuite: type === "suite", reason }));
});
const reported = report.compose(reporter);
reported.once("end", () => {
  for (const line of skipped) console.error(line);
  if (skipped.length === 0 || !failsOnSkipped(process.env)) return;
  console.error("nothing may be skipped in CI: install what the reasons name, and run as root");
  process.exitCode = 1;
});
reported.pipe(process.stdout);
