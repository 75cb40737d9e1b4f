/**
 * `npm run soak -- wimguard PROOF … [--count=N] [--seconds=N] [--seed=N] [--jobs=N] [--fresh]`: proofs of WimGuard that take longer than a test may.
 * Each continues where its last run was stopped, until its count is reached.
 */
import { parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";
import { compiledFolder } from "./paths.ts";
import { proofs } from "./proofs.ts";
import { type ProofOptions, runProof } from "./run-proof.ts";
import { steady } from "./steady.ts";

const names = [...Object.keys(proofs), "steady"];

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
      jobs: { type: "string" },
      fresh: { type: "boolean" },
    },
  });
  if (positionals.length === 0) throw new UsageError("no proof was named");
  for (const name of positionals) {
    if (names.includes(name)) continue;
    const nearest = nearestName(name, names);
    throw new UsageError(`unknown proof "${name}"${nearest === undefined ? "" : `, did you mean ${nearest}?`}`);
  }
  const number = (name: "count" | "seconds" | "seed" | "jobs"): number | undefined => {
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
      jobs: number("jobs") ?? 1,
      isFresh: values.fresh ?? false,
    },
  };
}
