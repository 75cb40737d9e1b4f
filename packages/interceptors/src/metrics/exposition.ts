import { Counter, type Exemplar, type Family, Gauge, type Histogram, type Registry } from "./registry.ts";

/** The Prometheus text format, and OpenMetrics, which also has exemplars and units. */
export type ExpositionFormat = "prometheus" | "openmetrics";

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Returns all metrics of the registry in a text format for scrapers. */
export function exposition(registry: Registry, format: ExpositionFormat = "prometheus"): string {
  return expositionOf(registry.collect(), format);
}

/** Returns collected families in a text format. */
export function expositionOf(families: readonly Family[], format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const family of families) appendFamily(lines, family, format === "openmetrics");
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function appendFamily(lines: string[], family: Family, isOpen: boolean): void {
  // In OpenMetrics, "_total" is part of the sample's name, not of the family's.
  const name = isOpen && family.type === "counter" ? family.name.slice(0, -"_total".length) : family.name;
  lines.push(`# HELP ${name} ${escapeHelp(family.help, isOpen)}`, `# TYPE ${name} ${family.type}`);
  const unit = isOpen ? /_(seconds|bytes)$/.exec(name)?.[1] : undefined;
  if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
  for (const { values, series } of family.series.values()) {
    const labels = family.labelNames.map((label, at) => `${label}="${escapeLabel(values[at] ?? "")}"`);
    if (series instanceof Counter || series instanceof Gauge) {
      lines.push(`${family.name}${braced(labels)} ${numberText(series.value)}`);
    } else {
      appendHistogram(lines, family.name, labels, series, isOpen);
    }
  }
}

function appendHistogram(lines: string[], name: string, labels: string[], series: Histogram, isOpen: boolean): void {
  let count = 0;
  for (const [at, inBucket] of series.counts.entries()) {
    count += inBucket;
    const bound = series.bounds[at];
    const le = bound === undefined ? "+Inf" : isOpen ? floatText(bound) : numberText(bound);
    const exemplar = isOpen ? exemplarText(series.exemplars[at]) : "";
    lines.push(`${name}_bucket${braced([...labels, `le="${le}"`])} ${count}${exemplar}`);
  }
  lines.push(`${name}_sum${braced(labels)} ${numberText(series.sum)}`, `${name}_count${braced(labels)} ${count}`);
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const { traceId, spanId, value, atSeconds } = exemplar;
  return ` # {trace_id="${escapeLabel(traceId)}",span_id="${escapeLabel(spanId)}"} ${numberText(value)} ${atSeconds.toFixed(3)}`;
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? "" : `{${labels.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** OpenMetrics requires bounds to look like floats, so that equal bounds have equal labels. */
function floatText(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}

function escapeHelp(help: string, isOpen: boolean): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return isOpen ? escaped.replaceAll('"', '\\"') : escaped;
}
