/** `npm run bench -- compare --base FOLDER` compares the CPU time per call of this and another checkout, with confidence intervals. */
import { join } from "node:path";
import type { BenchCase } from "../case.ts";
import { BENCH_CASES } from "../cases.ts";
import type { Turn } from "../measure/interleave.ts";
import { measureCase } from "../measure/measure-case.ts";
import type { Session } from "../measure/session.ts";
import { median } from "../measure/statistics.ts";
import { prepareGrpcGo, prepareNodePeers } from "../prepare.ts";
import { type Subject, TERCEL } from "../subjects.ts";
import { parseCompareOptions } from "./compare-options.ts";
import { ratioInterval } from "./confidence.ts";

/** A loss counts if the whole interval exceeds this share. Smaller losses cannot be distinguished from other load of the machine. */
const tolerance = 0.03;

/** Only these cases have a CPU time per call, message or megabyte of a single process. */
const comparable = BENCH_CASES.filter(({ per, work }) => per !== undefined && work.kind !== "pick");

/** Exit codes: 0 no case lost more than the tolerance, 1 one did or could not be measured. @throws UsageError */
export async function runCompareBench(words: readonly string[]): Promise<number> {
  const options = parseCompareOptions(
    words,
    comparable.map(({ name }) => name),
  );
  const base: Subject = {
    ...TERCEL,
    name: "base",
    isOlder: true,
    server: [process.execPath, "--conditions=source", join(options.basePrograms, "server.ts")],
    client: [process.execPath, "--conditions=source", join(options.basePrograms, "client.ts")],
  };
  await prepareNodePeers();
  await prepareGrpcGo();
  const session: Session = {
    rounds: options.pairs,
    seconds: options.seconds,
    verified: new Set(),
    tlsWords: [],
    progress: (text) => console.error(text),
  };
  let isGood = true;
  for (const benchCase of comparable.filter(({ name }) => options.cases.includes(name))) {
    try {
      isGood = (await compareCase(benchCase, base, session, options.sittings)) && isGood;
    } catch (error) {
      isGood = false;
      process.stdout.write(`${benchCase.name} FAILED: ${(error as Error).message}\n`);
    }
  }
  return isGood ? 0 : 1;
}

/** Measures and prints one case. Returns false if this checkout lost. Throws if a checkout could not be measured. */
async function compareCase(benchCase: BenchCase, base: Subject, session: Session, sittings: number): Promise<boolean> {
  const ratios: number[] = [];
  const costs: Record<"tercel" | "base", number[]> = { tercel: [], base: [] };
  for (let sitting = 0; sitting < sittings; sitting++) {
    // The order alternates, so that neither checkout always follows the other.
    const subjects = sitting % 2 === 0 ? [TERCEL, base] : [base, TERCEL];
    const outcomes = await measureCase(benchCase, subjects, session);
    const own = cpuOf(outcomes.get("tercel"), "tercel", benchCase);
    const other = cpuOf(outcomes.get("base"), "base", benchCase);
    own.forEach((micros, pair) => {
      const baseMicros = other[pair] as number;
      ratios.push(baseMicros / micros);
      costs.tercel.push(micros);
      costs.base.push(baseMicros);
    });
  }
  const { mean, low, high } = ratioInterval(ratios);
  const isLost = high < 1 - tolerance;
  const cost = `${median(costs.base).toFixed(3)} -> ${median(costs.tercel).toFixed(3)} µs CPU/${benchCase.per}`;
  const interval = `${percent(mean)} (95 %: ${percent(low)} to ${percent(high)}), ${ratios.length} pairs`;
  process.stdout.write(`${benchCase.name.padEnd(24)}${cost.padEnd(36)}${interval}${isLost ? "  LOST" : ""}\n`);
  return !isLost;
}

function cpuOf(
  outcome: { turns: readonly Turn[] } | { failure: string } | undefined,
  subject: string,
  { name }: BenchCase,
): number[] {
  if (outcome === undefined || "failure" in outcome) {
    throw new Error(`${subject} failed in ${name}: ${outcome?.failure ?? "not measured"}`);
  }
  return outcome.turns.map(({ cpuMicros }) => {
    if (cpuMicros === undefined) throw new Error(`${name} counts no CPU time`);
    return cpuMicros;
  });
}

/** Formats a gain: +2.0 % means that the same work takes 2 % less CPU time than in the base. */
function percent(ratio: number): string {
  const value = (ratio - 1) * 100;
  return `${value < 0 ? "" : "+"}${value.toFixed(1)} %`;
}
