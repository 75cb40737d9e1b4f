/**
 * `npm run fuzz [target …] [-- --seconds N] [--seed N]` runs the targets one after another, each for this time.
 * `npm run fuzz -- target --input file` runs a target once, with the content of a file. `npm run fuzz differential` compares Tercel's
 * server with that of node:http2. See README.md.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runDifferential } from "./differential/run.ts";
import { describeProgress, supervise } from "./engine/supervise.ts";
import { loadTarget, targetNames } from "./engine/target.ts";

const defaultSeconds = 60;
const folder = import.meta.dirname;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string" }, seed: { type: "string" }, input: { type: "string" } },
});
const differential = "differential";
const known: readonly string[] = [...targetNames, differential];
const asked = positionals.length === 0 ? known : positionals;
const unknown = asked.find((name) => !known.includes(name));
const seconds = Number(values.seconds ?? defaultSeconds);
const seed = Number(values.seed ?? Date.now() % 0x7fff_ffff);
if (unknown !== undefined) {
  console.error(`unknown target "${unknown}"; there are: ${known.join(", ")}`);
  process.exitCode = 2;
} else if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error("--seconds takes a number above 0, --seed a whole number");
  process.exitCode = 2;
} else if (values.input === undefined) {
  process.exitCode = (await runTargets()) ? 0 : 1;
} else if (asked.length !== 1 || asked[0] === differential) {
  console.error("--input needs the name of one target; differential takes a --seed instead");
  process.exitCode = 2;
} else {
  const { fuzz } = await loadTarget(asked[0] as string);
  await fuzz(new Uint8Array(readFileSync(values.input)));
  console.log(`${asked[0]} takes ${values.input}`);
}

async function runTargets(): Promise<boolean> {
  installParser();
  let isClean = true;
  for (const target of asked) {
    console.log(`# ${target}, ${seconds} s, seed ${seed}`);
    if (target === differential) {
      isClean = (await compareServers()) && isClean;
      continue;
    }
    const seedFolder = join(folder, "corpus", target);
    const grownFolder = join(folder, "../../.cache/fuzz", target);
    const {
      progress,
      seconds: ran,
      finding,
    } = await supervise({ target, seconds, seed, seedFolder, grownFolder }, join(folder, "crashes"));
    console.log(describeProgress(progress, ran));
    if (finding === undefined) continue;
    isClean = false;
    console.error(`${finding.error.stack}\nto run it again: npm run fuzz -- ${target} --input ${finding.file}`);
  }
  return isClean;
}

async function compareServers(): Promise<boolean> {
  const { sessions, requests, difference } = await runDifferential(seconds, seed);
  console.log(`${sessions} connections with ${requests} requests got the same responses`);
  if (difference === undefined) return true;
  console.error(
    `${difference.error.stack}\nto run it again: npm run fuzz -- ${differential} --seed ${difference.seed}`,
  );
  return false;
}

/** The only dependency has a separate lock file. */
function installParser(): void {
  if (existsSync(join(folder, "node_modules/acorn"))) return;
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  if (npm.status !== 0) throw new Error("npm ci failed in verification/fuzz/");
}
