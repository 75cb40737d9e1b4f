import { parseTimerMs, readDuration } from "../frame/duration.ts";
import { usageFailure } from "../frame/failure.ts";
import type { SchemaOptions } from "../schema/schema-options.ts";
import type { TargetOptions } from "../target/target-options.ts";
import type { Stage } from "./schedule.ts";

/** The options of the command line, as commander names them. */
export interface BenchOptions extends TargetOptions, SchemaOptions {
  readonly data: readonly string[];
  readonly rate?: string;
  readonly stages?: string;
  readonly concurrency?: string;
  readonly duration: string;
  readonly warmup: string;
  readonly connections: string;
  readonly workers: string;
  readonly deadline: string;
  readonly maxInFlight: string;
  readonly maxErrorRate?: string;
  readonly maxP99?: string;
  readonly compare?: string;
  readonly output: "table" | "json" | "html" | "hgrm";
}

/** How calls are made, and for how long. */
export interface Load {
  readonly mode:
    | { readonly kind: "open"; readonly stages: readonly Stage[] }
    | { readonly kind: "closed"; readonly concurrency: number };
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly connections: number;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
}

/** Limits that the result must not exceed. */
export interface Gates {
  readonly maxErrorRate: number | undefined;
  readonly maxP99Ms: number | undefined;
}

const defaultConcurrency = 10;
const maxWorkers = 64;
const maxCalls = 1_000_000;

/** Reads the load from the options. @throws CommandFailure that names the invalid option and the values it accepts */
export function readLoad(options: BenchOptions): Load {
  const workers = wholeNumber("--workers", options.workers, 1, maxWorkers);
  const stages = readStages(options);
  const concurrency = wholeNumber("--concurrency", options.concurrency ?? String(defaultConcurrency), 1, maxCalls);
  const warmupMs = options.warmup === "0" || options.warmup === "0s" ? 0 : readDuration("--warmup", options.warmup);
  return {
    mode: stages === undefined ? { kind: "closed", concurrency } : { kind: "open", stages },
    durationMs:
      stages === undefined || options.stages === undefined
        ? readDuration("--duration", options.duration)
        : sumOf(stages),
    warmupMs,
    connections: Math.max(workers, wholeNumber("--connections", options.connections, 1, 10_000)),
    workers,
    timeoutMs: readDuration("--deadline", options.deadline),
    maxInFlight: wholeNumber("--max-in-flight", options.maxInFlight, 1, maxCalls),
  };
}

export function readGates({ maxErrorRate, maxP99 }: BenchOptions): Gates {
  return {
    maxErrorRate: maxErrorRate === undefined ? undefined : share("--max-error-rate", maxErrorRate),
    maxP99Ms: maxP99 === undefined ? undefined : readDuration("--max-p99", maxP99),
  };
}

function readStages({ stages, rate, duration }: BenchOptions): Stage[] | undefined {
  if (rate !== undefined) return [{ durationMs: readDuration("--duration", duration), rate: rateOf("--rate", rate) }];
  return stages?.split(",").map((stage) => {
    const [time = "", calls = ""] = stage.split(":");
    const durationMs = parseTimerMs(time);
    if (durationMs === undefined || calls === "") {
      throw usageFailure(`invalid --stages ${JSON.stringify(stage)}: expected DURATION:RATE, such as 30s:500`);
    }
    return { durationMs, rate: rateOf("--stages", calls) };
  });
}

function sumOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function rateOf(option: string, text: string): number {
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate > 0 && rate <= maxCalls) return rate;
  throw usageFailure(
    `invalid ${option} ${JSON.stringify(text)}: expected calls per second, more than 0 and at most ${maxCalls}`,
  );
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw usageFailure(`invalid ${option} ${JSON.stringify(text)}: expected a whole number from ${min} to ${max}`);
}

function share(option: string, text: string): number {
  const value = Number(text);
  if (/^(?:\d+|\d*\.\d+)$/.test(text) && value >= 0 && value <= 1) return value;
  throw usageFailure(`invalid ${option} ${JSON.stringify(text)}: expected a share from 0 to 1, such as 0.01`);
}
