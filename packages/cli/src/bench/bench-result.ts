import type { JsonObject } from "@bufbuild/protobuf";
import { jsonVersion } from "../frame/output-format.ts";
import type { Load } from "./bench-options.ts";
import { type FailedCalls, milliseconds } from "./recorder.ts";
import type { Measured } from "./run-workers.ts";

/** A distribution of times, in milliseconds. */
export interface Distribution {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

export interface BenchResult {
  readonly method: string;
  readonly target: string;
  readonly load: Load;
  readonly durationMs: number;
  /** Time until the last call ended, in milliseconds. */
  readonly elapsedMs: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly errors: ReadonlyMap<string, FailedCalls>;
  /** Share of the calls that failed, from 0 to 1. */
  readonly errorRate: number;
  /** Calls per second of the load; undefined in a closed loop. */
  readonly offeredRate: number | undefined;
  /** Successful calls per second, over the time until the last call ended: late calls lower the rate. */
  readonly achievedRate: number;
  readonly latency: Distribution;
  readonly service: Distribution;
  readonly lag: Distribution;
  /** Whether the generator sent calls so late that the latencies are its own. */
  readonly isGeneratorLimited: boolean;
}

/** Lag that is too small to be mistaken for the server's. */
const harmlessLagMs = 1;
const harmlessLagShare = 0.1;

export function toResult(measured: Measured, load: Load, what: { method: string; target: string }): BenchResult {
  const { counts, timings, measuredMs, elapsedMs } = measured;
  const failed = [...counts.errors.values()].reduce((sum, { count }) => sum + count, 0);
  const calls = counts.succeeded + failed;
  const latency = distribution(timings.latency);
  const lag = distribution(timings.lag);
  return {
    ...what,
    load,
    durationMs: measuredMs,
    elapsedMs,
    calls,
    succeeded: counts.succeeded,
    errors: counts.errors,
    errorRate: calls === 0 ? 0 : failed / calls,
    offeredRate: offeredRate(load, measuredMs),
    achievedRate: (counts.succeeded * 1000) / elapsedMs,
    latency,
    service: distribution(timings.service),
    lag,
    isGeneratorLimited: lag.p99 > harmlessLagMs && lag.p99 > harmlessLagShare * latency.p50,
  };
}

/** Returns the mean rate of the stages, or of the part of them before the measurement was stopped. */
function offeredRate({ mode }: Load, measuredMs: number): number | undefined {
  if (mode.kind === "closed") return undefined;
  let leftMs = measuredMs;
  let calls = 0;
  for (const { durationMs, rate } of mode.stages) {
    const ms = Math.min(durationMs, leftMs);
    calls += (ms * rate) / 1000;
    leftMs -= ms;
  }
  return (calls * 1000) / measuredMs;
}

function distribution(histogram: Measured["timings"]["latency"]): Distribution {
  const at = (percentile: number): number => milliseconds(histogram, percentile);
  const isEmpty = histogram.count === 0;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: isEmpty ? 0 : histogram.max / 1e6,
    mean: isEmpty ? 0 : histogram.mean / 1e6,
  };
}

/** Returns the document of `-o json`, which `--compare` reads. */
export function resultJson(result: BenchResult): JsonObject {
  const { mode, connections, workers } = result.load;
  const perStatus = <T>(read: (failed: FailedCalls) => T): Record<string, T> =>
    Object.fromEntries([...result.errors].map(([status, failed]) => [status, read(failed)]));
  return {
    version: jsonVersion,
    method: result.method,
    target: result.target,
    mode: mode.kind,
    ...(mode.kind === "open"
      ? { stages: mode.stages.map((stage) => ({ ...stage })) }
      : { concurrency: mode.concurrency }),
    connections,
    workers,
    durationMs: result.durationMs,
    elapsedMs: result.elapsedMs,
    calls: result.calls,
    succeeded: result.succeeded,
    errors: perStatus(({ count }) => count),
    errorMessages: perStatus(({ firstMessage }) => firstMessage),
    errorRate: result.errorRate,
    ...(result.offeredRate !== undefined && { offeredRate: result.offeredRate }),
    achievedRate: result.achievedRate,
    latencyMs: { ...result.latency },
    serviceMs: { ...result.service },
    lagMs: { ...result.lag },
    isGeneratorLimited: result.isGeneratorLimited,
  };
}
