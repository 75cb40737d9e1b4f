/**
 * `npm run soak -- NAME … [--seconds=N] [--count=N] [--rate=N]` runs tests that take longer than `npm test` allows. The
 * exit code is 0 if all passed. `npm run soak -- wimguard PROOF …` runs the proofs of WimGuard.
 */
import { abortedConnections } from "./aborted-connections.ts";
import { mixed } from "./mixed.ts";
import { parseOptions, type SoakOptions } from "./options.ts";
import { overloaded } from "./overload.ts";
import { rollingRestart } from "./rolling-restart.ts";
import { runWimGuardSoak } from "./wimguard/run.ts";

const soaks = new Map<string, (options: SoakOptions) => Promise<boolean>>([
  ["rolling-restart", rollingRestart],
  ["aborted-connections", abortedConnections],
  ["mixed", mixed],
  ["overload", overloaded],
]);

const [first, ...rest] = process.argv.slice(2);
if (first === "wimguard") process.exit(await runWimGuardSoak(rest));

const { names, options } = readCommandLine();
let passed = true;
for (const name of names) {
  console.log(`# ${name}`);
  passed = ((await soaks.get(name)?.(options)) ?? false) && passed;
}
process.exit(passed ? 0 : 1);

function readCommandLine(): ReturnType<typeof parseOptions> {
  try {
    const read = parseOptions(process.argv.slice(2));
    const unknown = read.names.find((name) => !soaks.has(name));
    if (unknown !== undefined) throw new Error(`unknown soak "${unknown}"`);
    if (read.names.length === 0) throw new Error("no soak was named");
    return read;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : error}; the soaks are: ${[...soaks.keys()].join(", ")}, wimguard`,
    );
    process.exit(2);
  }
}
