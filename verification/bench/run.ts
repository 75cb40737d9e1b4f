/** `npm run bench [word…] [-- options]` measures and prints the figures. See README.md. */

import { existsSync } from "node:fs";
import { BENCH_CASES } from "./cases.ts";
import { runChannelBench } from "./channel/run.ts";
import { runCodecBench } from "./codec/run.ts";
import { runCompareBench } from "./compare/run.ts";
import { runConfigBench } from "./config/run.ts";
import { compareRatios, isPassed, renderChanges } from "./gate/compare-ratios.ts";
import { runGatewayBench } from "./gateway/run.ts";
import { runImportBench } from "./import/run.ts";
import { runInterceptorBench } from "./interceptors/run.ts";
import { runKitBench } from "./kit/run.ts";
import { type BenchOptions, parseOptions, UsageError } from "./options.ts";
import { killChildren } from "./process/children.ts";
import { runPublish } from "./publish/run.ts";
import type { BenchDocument } from "./report/document.ts";
import { readDocument, writeDocument } from "./report/document-file.ts";
import { renderMarkdown } from "./report/markdown.ts";
import { renderTable } from "./report/table.ts";
import { allMeasured, type BenchRun, runBenchmarks } from "./run-benchmarks.ts";
import { PEERS } from "./subjects.ts";
import { runWimGuardBench } from "./wimguard/run.ts";

const CASE_NAMES = BENCH_CASES.map(({ name }) => name);
const PEER_NAMES = PEERS.map(({ name }) => name);

const HELP = `npm run bench [-- [word ...] [options]]

Measures Tercel and its peers in one run. The first word "codec" measures the protobuf codec instead, without a network, "channel" what a channel adds to a call, "interceptors" what these add, "gateway" REST, Connect and gRPC-Web, "import" what importing them costs, "config" what loading a configuration costs, "kit" what a service on the kit costs, "wimguard" the backup daemon next to other backup programs, "compare --base FOLDER" this checkout next to another one, and "publish" writes the tables and the picture of the docs. Words choose the cases whose name contains one of them; no word, all cases.

  --json         print only the JSON document on stdout (progress goes to stderr either way)
  --markdown     print the table that docs/benchmarks.md shows
  --rounds N     measurements of each subject in each case, whose median is quoted (1 to 99, default 3)
  --seconds S    length of one measurement (0.2 to 600, default 3)
  --peers A,B    peers to measure, or "none" (default: all)
  --into FILE    keep the figures in FILE after each case, and measure no case again that it has of all subjects
  --minutes N    begin no case that would end later; with --into the rest is for another run (1 to 1440)
  --compare FILE measure the cases of FILE again, and fail when CPU time per call next to the peers has grown by over 5 %
  --help         this text

Peers: ${PEER_NAMES.join(", ")}
Cases:
${CASE_NAMES.map((name) => `  ${name}`).join("\n")}
`;

/** Exit codes: 0 all measured, 1 a subject failed in a case, a comparison was lost or the run could not be made, 2 a wrong command line, 3 cases are left. */
async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === "codec") return runCodecBench(rest);
  if (first === "compare") return runCompareBench(rest);
  if (first === "channel") return runChannelBench(rest);
  if (first === "interceptors") return runInterceptorBench(rest);
  if (first === "gateway") return runGatewayBench(rest);
  if (first === "import") return runImportBench(rest);
  if (first === "config") return runConfigBench(rest);
  if (first === "kit") return runKitBench(rest);
  if (first === "publish") return runPublish(rest);
  if (first === "wimguard") return runWimGuardBench(rest);
  const options = parseOptions(process.argv.slice(2), { cases: CASE_NAMES, peers: PEER_NAMES });
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  // Read before the measurement, which takes hours.
  const base = options.compare === undefined ? undefined : readDocument(options.compare);
  const { document, left, leftMinutes } = await measure(base === undefined ? options : withCasesOf(base, options));
  if (options.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else process.stdout.write(options.markdown ? renderMarkdown(document) : `\n${renderTable(document)}`);
  if (left.length > 0) console.error(`${left.length} cases are left, about ${leftMinutes} min: ${left.join(", ")}`);
  if (base !== undefined) {
    const changes = compareRatios(document, base, withCasesOf(base, options).cases);
    // With --json, standard output has only the document.
    (options.json ? process.stderr : process.stdout).write(`\n${renderChanges(changes, base)}`);
    if (!isPassed(changes)) return 1;
  }
  if (!allMeasured(document)) return 1;
  return left.length > 0 ? 3 : 0;
}

function measure(options: BenchOptions): Promise<BenchRun> {
  const { into } = options;
  const progress = (text: string): void => console.error(text);
  if (into === undefined) return runBenchmarks(options, progress);
  return runBenchmarks(options, progress, {
    ...(existsSync(into) && { earlier: readDocument(into) }),
    onCase: (document) => writeDocument(into, document),
  });
}

/** Without words, the cases with figures in the comparison. */
function withCasesOf(base: BenchDocument, options: BenchOptions): BenchOptions {
  if (options.cases.length < CASE_NAMES.length) return options;
  const counted = base.cases.filter(({ per, peers }) => per !== undefined && Object.keys(peers).length > 0);
  return { ...options, cases: counted.map(({ name }) => name).filter((name) => CASE_NAMES.includes(name)) };
}

process.on("exit", killChildren);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
