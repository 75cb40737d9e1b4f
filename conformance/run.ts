/**
 * `npm run conformance [-- suite …]`: runs somebody else's test suites against Tercel. Without a name all of them run.
 * Exits with 0 only when every suite passed.
 */
import { runConnectClient, runConnectServer } from "./connect/run.ts";
import { runH2spec } from "./h2spec/run.ts";

const suites = new Map<string, () => Promise<boolean>>([
  ["h2spec", runH2spec],
  ["connect-server", runConnectServer],
  ["connect-client", runConnectClient],
]);

const asked = process.argv.slice(2);
for (const name of asked) {
  if (suites.has(name)) continue;
  console.error(`unknown suite "${name}"; there are: ${[...suites.keys()].join(", ")}`);
  process.exit(2);
}

let passed = true;
for (const [name, run] of suites) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`# ${name}`);
  passed = (await run()) && passed;
}
process.exit(passed ? 0 : 1);
