import type { Histogram } from "node:perf_hooks";
import { formatDuration } from "../frame/duration.ts";
import type { Output } from "../frame/output.ts";
import { formatTable } from "../frame/table.ts";
import type { BenchResult, Distribution } from "./bench-result.ts";

/** Formats a result as text. */
export function resultText(result: BenchResult, output: Output): string {
  const bold = (text: string): string => output.style("bold", text);
  return [
    `${bold(result.method)} at ${result.target}\n`,
    `${loadText(result)}\n\n`,
    formatTable([], countRows(result)),
    "\n",
    formatTable(["", "p50", "p90", "p99", "p99.9", "max"].map(bold), [
      timeRow("latency", result.latency),
      // In a closed loop calls are due when they are sent.
      ...(result.load.mode.kind === "open" ? [timeRow("service", result.service), timeRow("lag", result.lag)] : []),
    ]),
  ].join("");
}

/** Describes the load in two lines. */
export function loadText({ load, durationMs }: BenchResult): string {
  const { mode, connections, workers } = load;
  const time = formatDuration(durationMs);
  const over = `${plural(connections, "connection")}, ${plural(workers, "worker")}`;
  if (mode.kind === "closed") {
    return `closed loop: ${plural(mode.concurrency, "call")} at a time for ${time} over ${over}\na stalled server gets fewer calls, so its pauses count little here`;
  }
  const stages = mode.stages.map(({ durationMs: ms, rate }) => `${rate}/s for ${formatDuration(ms)}`).join(", then ");
  return `open loop: ${stages} over ${over}\nlatency counts from the time a call was due`;
}

function countRows(result: BenchResult): string[][] {
  const { calls, errors, errorRate, offeredRate, achievedRate } = result;
  const names = [...errors].map(([name, { count }]) => `${name} ${count}`).join(", ");
  return [
    ["calls", String(calls)],
    ["errors", names === "" ? "none" : `${names} (${(errorRate * 100).toFixed(2)} %)`],
    ...[...errors].map(([name, { firstMessage }]) => ["", `first ${name}: ${firstMessage}`]),
    ...(offeredRate === undefined ? [] : [["offered", `${rateText(offeredRate)}/s`]]),
    [
      "achieved",
      `${rateText(achievedRate)}/s${offeredRate === undefined ? "" : ` (${((achievedRate / offeredRate) * 100).toFixed(1)} %)`}`,
    ],
  ];
}

function timeRow(name: string, { p50, p90, p99, p999, max }: Distribution): string[] {
  return [name, ...[p50, p90, p99, p999, max].map(formatDuration)];
}

export function rateText(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Formats the difference from an earlier result, one figure per row. */
export function comparisonText(result: BenchResult, earlier: EarlierResult, output: Output): string {
  const rows = [
    [
      "achieved",
      `${rateText(earlier.achievedRate)}/s`,
      `${rateText(result.achievedRate)}/s`,
      change(earlier.achievedRate, result.achievedRate),
    ],
    ...(["p50", "p99", "max"] as const).map((name) => [
      `latency ${name}`,
      formatDuration(earlier.latencyMs[name]),
      formatDuration(result.latency[name]),
      change(earlier.latencyMs[name], result.latency[name]),
    ]),
  ];
  return formatTable(
    ["", "before", "now", "change"].map((title) => output.style("bold", title)),
    rows,
  );
}

/** The figures that are compared. */
export interface EarlierResult {
  readonly achievedRate: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

function change(before: number, now: number): string {
  if (before === 0) return "";
  const percent = ((now - before) / before) * 100;
  return `${percent >= 0 ? "+" : ""}${percent.toFixed(1)} %`;
}

/** Returns HdrHistogram's percentile distribution, which its plotter reads; values in milliseconds. */
export function hgrmText(histogram: Histogram): string {
  const rows = [...histogram.percentiles].map(([percentile, value]) => {
    const share = percentile / 100;
    const total = Math.round(share * histogram.count);
    const inverse = share >= 1 ? "" : (1 / (1 - share)).toFixed(2);
    return `${(value / 1e6).toFixed(3).padStart(12)} ${share.toFixed(12)} ${String(total).padStart(10)} ${inverse.padStart(14)}`;
  });
  const count = String(histogram.count).padStart(12);
  const figures = (value: number): string => (histogram.count === 0 ? 0 : value / 1e6).toFixed(3).padStart(12);
  return [
    "       Value     Percentile TotalCount 1/(1-Percentile)",
    "",
    ...rows,
    `#[Mean    = ${figures(histogram.mean)}, StdDeviation   = ${figures(histogram.stddev)}]`,
    `#[Max     = ${figures(histogram.max)}, Total count    = ${count}]`,
    "",
  ].join("\n");
}
