/** `npm run bench [word…] [-- options]`: reads the command line, measures, prints. See README.md. */

import { BENCH_CASES } from "./cases.ts";
import { runChannelBench } from "./channel/run.ts";
import { runCodecBench } from "./codec/run.ts";
import { runCompareBench } from "./compare/run.ts";
import { runConfigBench } from "./config/run.ts";
import { runGatewayBench } from "./gateway/run.ts";
import { runImportBench } from "./import/run.ts";
import { runInterceptorBench } from "./interceptors/run.ts";
import { parseOptions, UsageError } from "./options.ts";
import { killChildren } from "./process/children.ts";
import { renderMarkdown } from "./report/markdown.ts";
import { renderTable } from "./report/table.ts";
import { allMeasured, runBenchmarks } from "./run-benchmarks.ts";
import { PEERS } from "./subjects.ts";
import { runWimGuardBench } from "./wimguard/run.ts";

const CASE_NAMES = BENCH_CASES.map(({ name }) => name);
const PEER_NAMES = PEERS.map(({ name }) => name);

const HELP = `npm run bench [-- [word ...] [options]]

Measures Tercel and its peers in one run. The first word "codec" measures the protobuf codec instead, without a network, "channel" what a channel adds to a call, "interceptors" what these add, "gateway" REST, Connect and gRPC-Web, "import" what importing them costs, "config" what loading a configuration costs, "wimguard" the backup daemon next to other backup programs, and "compare --base FOLDER" this checkout next to another one. Words choose the cases whose name contains one of them; no word, all cases.

  --json         print only the JSON document on stdout (progress goes to stderr either way)
  --markdown     print the table that docs/benchmarks.md shows
  --rounds N     measurements of each subject in each case, whose median is quoted (1 to 99, default 3)
  --seconds S    length of one measurement (0.2 to 600, default 3)
  --peers A,B    peers to measure, or "none" (default: all)
  --help         this text

Peers: ${PEER_NAMES.join(", ")}
Cases:
${CASE_NAMES.map((name) => `  ${name}`).join("\n")}
`;

/** Exit codes: 0 all measured, 1 a subject failed in a case or the run could not be made, 2 a wrong command line. */
async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === "codec") return runCodecBench(rest);
  if (first === "compare") return runCompareBench(rest);
  if (first === "channel") return runChannelBench(rest);
  if (first === "interceptors") return runInterceptorBench(rest);
  if (first === "gateway") return runGatewayBench(rest);
  if (first === "import") return runImportBench(rest);
  if (first === "config") return runConfigBench(rest);
  if (first === "wimguard") return runWimGuardBench(rest);
  const options = parseOptions(process.argv.slice(2), { cases: CASE_NAMES, peers: PEER_NAMES });
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const document = await runBenchmarks(options, (text) => console.error(text));
  if (options.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else process.stdout.write(options.markdown ? renderMarkdown(document) : `\n${renderTable(document)}`);
  return allMeasured(document) ? 0 : 1;
}

process.on("exit", killChildren);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
