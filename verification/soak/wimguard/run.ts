/**
 * `npm run soak -- wimguard PROOF … [--count=N] [--seconds=N] [--seed=N] [--fresh]`: proofs of WimGuard that take longer than a test may.
 * Each continues where its last run was stopped, until its count is reached.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";
import type { Proof } from "./proof.ts";
import { cancels } from "./proofs/cancels.ts";
import { clock } from "./proofs/clock.ts";
import { appendCrashPoints, crashPoints, faults, restoreCrashPoints } from "./proofs/crash-points.ts";
import { fillings } from "./proofs/fillings.ts";
import { flips } from "./proofs/flips.ts";
import { hostileArchives } from "./proofs/hostile-archives.ts";
import { kills } from "./proofs/kills.ts";
import { races } from "./proofs/races.ts";
import { repositoryTrees } from "./proofs/repository-trees.ts";
import { retention } from "./proofs/retention.ts";
import { swaps } from "./proofs/swaps.ts";
import { trees } from "./proofs/trees.ts";
import { type ProofOptions, runProof } from "./run-proof.ts";
import { steady } from "./steady.ts";

const proofs: Readonly<Record<string, Proof>> = {
  "trees-tar": trees("tar", 5000),
  "trees-wim": trees("wim", 2000),
  "trees-restic": repositoryTrees,
  "crash-points": crashPoints,
  "crash-points-append": appendCrashPoints,
  "crash-points-restore": restoreCrashPoints,
  faults,
  kills,
  "flips-tar": flips("tar"),
  "flips-wim": flips("wim"),
  fillings,
  "cancels-tar": cancels("tar"),
  "cancels-wim": cancels("wim"),
  "hostile-archives": hostileArchives,
  swaps,
  races,
  clock,
  retention,
};
const names = [...Object.keys(proofs), "steady"];

const compiledFolder = join(import.meta.dirname, "../../../.cache/compiled");

class UsageError extends Error {}

/** Returns the exit code: 0 when all of them went well, 2 for a wrong command line. */
export async function runWimGuardSoak(args: readonly string[]): Promise<number> {
  let chosen: string[];
  let options: ProofOptions;
  try {
    ({ chosen, options } = readCommandLine(args));
  } catch (error) {
    console.error(`${(error as Error).message}; the proofs are: ${names.join(", ")}`);
    return 2;
  }
  // Daemons are started hundreds of times: compiling their sources once halves the time of a start.
  process.env.NODE_COMPILE_CACHE ??= compiledFolder;
  let passed = true;
  for (const name of chosen) {
    const proof = proofs[name];
    const isGood = proof === undefined ? await steady(options.seconds) : await runProof(name, proof, options);
    passed = isGood && passed;
  }
  return passed ? 0 : 1;
}

function readCommandLine(args: readonly string[]): { chosen: string[]; options: ProofOptions } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      fresh: { type: "boolean" },
    },
  });
  if (positionals.length === 0) throw new UsageError("no proof was named");
  for (const name of positionals) {
    if (names.includes(name)) continue;
    const nearest = nearestName(name, names);
    throw new UsageError(`unknown proof "${name}"${nearest === undefined ? "" : `, did you mean ${nearest}?`}`);
  }
  const number = (name: "count" | "seconds" | "seed"): number | undefined => {
    const text = values[name];
    if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
    throw new UsageError(`--${name} is "${text}"; it has to be a whole number from 1 on`);
  };
  return {
    chosen: positionals,
    options: {
      count: number("count"),
      seconds: number("seconds"),
      seed: number("seed"),
      isFresh: values.fresh ?? false,
    },
  };
}
