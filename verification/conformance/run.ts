/**
 * `npm run conformance [-- suite …]` runs test suites of other projects against Tercel, by default all of them.
 * `interop:<peer>` runs `interop` with one peer. `--soak-iterations=10000` makes its soaks longer than the default of 1,000.
 * Exits with 0 only if every suite passed.
 */
import { parseArgs } from "node:util";
import { runConnectClient, runConnectServer } from "./connect/run.ts";
import { runH2spec } from "./h2spec/run.ts";
import { runH2specClient } from "./h2spec/run-client.ts";
import { runHpack } from "./hpack/run.ts";
import { peerNames, runInterop } from "./interop/run.ts";
import { runProtobuf } from "./protobuf/run.ts";

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { "soak-iterations": { type: "string", default: "1000" } },
});
const interopOptions = { soakIterations: Number(values["soak-iterations"]) };

const suites = new Map<string, () => Promise<boolean>>([
  ["h2spec", runH2spec],
  ["h2spec-client", runH2specClient],
  ["hpack", runHpack],
  ["protobuf", runProtobuf],
  ["connect-server", runConnectServer],
  ["connect-client", runConnectClient],
  ["interop", () => runInterop(peerNames, interopOptions)],
]);
/** Runs only if it is named. */
const parts = new Map(peerNames.map((name) => [`interop:${name}`, () => runInterop([name], interopOptions)]));

for (const name of asked) {
  if (suites.has(name) || parts.has(name)) continue;
  console.error(`unknown suite "${name}"; there are: ${[...suites.keys(), ...parts.keys()].join(", ")}`);
  process.exit(2);
}

let passed = true;
for (const [name, run] of [...suites, ...parts]) {
  if (asked.length === 0 ? parts.has(name) : !asked.includes(name)) continue;
  console.log(`# ${name}`);
  passed = (await run()) && passed;
}
process.exit(passed ? 0 : 1);
