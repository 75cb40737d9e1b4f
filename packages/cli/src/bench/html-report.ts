import type { Histogram } from "node:perf_hooks";
import { formatDuration } from "../frame/duration.ts";
import { type BenchResult, type Distribution, resultJson } from "./bench-result.ts";
import { loadText, plural, rateText } from "./print-result.ts";

/** The distributions that the page draws. */
export interface ReportTimings {
  readonly latency: Histogram;
  readonly service: Histogram;
}

/** Returns a result as a self-contained page without scripts or external resources. The page also contains the figures as JSON. */
export function resultHtml(result: BenchResult, timings: ReportTimings): string {
  const title = `${result.method} at ${result.target}`;
  const isOpen = result.load.mode.kind === "open";
  const curves = [
    { name: "latency", className: "latency", points: curveOf(timings.latency) },
    // In a closed loop calls are due when they are sent.
    ...(isOpen ? [{ name: "service", className: "service", points: curveOf(timings.service) }] : []),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
${style}
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(loadText(result)).replaceAll("\n", "<br>\n")}</p>
${result.isGeneratorLimited ? `<p class="warning">Calls were sent late: the latencies are those of the load generator, not of the server.</p>\n` : ""}<table>
${countRows(result)}</table>
<table>
<thead><tr><th></th>${["p50", "p90", "p99", "p99.9", "max", "mean"].map((name) => `<th>${name}</th>`).join("")}</tr></thead>
<tbody>
${timeRow("latency", result.latency)}${isOpen ? timeRow("service", result.service) + timeRow("lag", result.lag) : ""}</tbody>
</table>
${chart(curves)}
<script type="application/json" id="result">${JSON.stringify(resultJson(result)).replaceAll("<", "\\u003c")}</script>
</body>
</html>
`;
}

const style = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 1rem 0.2rem 0; text-align: left; font-weight: normal; }
thead th { border-bottom: 1px solid; font-weight: 600; }
svg { width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 12px; }
.grid { stroke: currentColor; stroke-opacity: 0.2; }
polyline { fill: none; stroke-width: 2; }
.latency { stroke: #2563eb; }
.service { stroke: #d97706; }
.warning { border-left: 4px solid #d97706; padding-left: 1rem; }`;

function countRows({ calls, errors, errorRate, offeredRate, achievedRate }: BenchResult): string {
  const failed = [...errors].map(([name, { count }]) => `${name} ${count}`).join(", ");
  const rows = [
    ["calls", String(calls)],
    ["errors", failed === "" ? "none" : `${failed} (${(errorRate * 100).toFixed(2)} %)`],
    ...[...errors].map(([name, { firstMessage }]) => ["", `first ${name}: ${firstMessage}`]),
    ...(offeredRate === undefined ? [] : [["offered", `${rateText(offeredRate)}/s`]]),
    ["achieved", `${rateText(achievedRate)}/s`],
  ];
  return rows.map(([name = "", value = ""]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>\n`).join("");
}

function timeRow(name: string, { p50, p90, p99, p999, max, mean }: Distribution): string {
  const cells = [p50, p90, p99, p999, max, mean].map((ms) => `<td>${formatDuration(ms)}</td>`).join("");
  return `<tr><th>${name}</th>${cells}</tr>\n`;
}

/** The time that a share of the calls took at most. */
interface Point {
  /** How many nines the share has: 1 for 90 %, 2 for 99 %. */
  readonly nines: number;
  readonly ms: number;
}

interface Curve {
  readonly name: string;
  readonly className: string;
  readonly points: readonly Point[];
}

/** Returns the points of a curve, up to the percentile of the slowest call: beyond it the axis would be empty. */
function curveOf(histogram: Histogram): Point[] {
  if (histogram.count === 0) return [];
  const last = Math.max(1, Math.log10(histogram.count));
  return [...histogram.percentiles]
    .map(([percentile, value]) => ({ nines: Math.min(last, -Math.log10(1 - percentile / 100)), ms: value / 1e6 }))
    .filter(({ nines }) => Number.isFinite(nines));
}

const width = 900;
const height = 360;
const margin = { left: 70, right: 20, top: 20, bottom: 40 } as const;

/** Draws latency by percentile. The axis counts nines, so that the slowest calls have as much room as all others. */
function chart(curves: readonly Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  if (all.length === 0) return "<p>No calls were measured.</p>";
  const maxNines = Math.max(1, ...all.map(({ nines }) => nines));
  const step = niceStep(Math.max(...all.map(({ ms }) => ms)) / 5);
  const maxMs = step * Math.max(1, Math.ceil(Math.max(...all.map(({ ms }) => ms)) / step));
  const x = (nines: number): number => margin.left + (nines / maxNines) * (width - margin.left - margin.right);
  const y = (ms: number): number => height - margin.bottom - (ms / maxMs) * (height - margin.top - margin.bottom);
  const columns = [0, ...Array.from({ length: Math.floor(maxNines) }, (_, at) => at + 1)].map((nines) => {
    const at = x(nines).toFixed(1);
    return `<line class="grid" x1="${at}" x2="${at}" y1="${margin.top}" y2="${height - margin.bottom}"/><text x="${at}" y="${height - margin.bottom + 18}" text-anchor="middle">${percentText(nines)}</text>`;
  });
  const rows = Array.from({ length: Math.round(maxMs / step) + 1 }, (_, at) => at * step).map((ms) => {
    const at = y(ms).toFixed(1);
    return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 8}" y="${Number(at) + 4}" text-anchor="end">${ms === 0 ? "0" : formatDuration(ms)}</text>`;
  });
  const lines = curves.map(({ className, points }) => {
    const at = points.map(({ nines, ms }) => `${x(nines).toFixed(1)},${y(ms).toFixed(1)}`).join(" ");
    return `<polyline class="${className}" points="${at}"/>`;
  });
  const legend = curves.map(({ name, className }, index) => {
    const at = margin.left + 12 + index * 110;
    return `<line class="${className}" stroke-width="2" x1="${at}" x2="${at + 20}" y1="${margin.top + 8}" y2="${margin.top + 8}"/><text x="${at + 26}" y="${margin.top + 12}">${name}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Time by percentile: ${plural(curves.length, "curve")}">
${[...columns, ...rows, ...lines, ...legend].join("\n")}
</svg>`;
}

/** Returns `0 %`, `90 %`, `99 %`, `99.9 %`. */
function percentText(nines: number): string {
  return nines === 0 ? "0 %" : `${(100 - 100 / 10 ** nines).toFixed(Math.max(0, nines - 2))} %`;
}

/** Returns the smallest of 1, 2 and 5 times a power of ten that is at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-3)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
