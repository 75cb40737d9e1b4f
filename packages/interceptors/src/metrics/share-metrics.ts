import { createShared, type MergedParts, type Shared } from "@tercel/grpc/internal";
import {
  type Aggregation,
  Counter,
  createRegistry,
  type Exemplar,
  type Family,
  type FamilyType,
  Gauge,
  type Histogram,
  type Registry,
} from "./registry.ts";

interface HistogramPart {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly exemplars: readonly (Exemplar | undefined)[];
  readonly sum: number;
}

interface SeriesPart {
  readonly values: readonly string[];
  readonly value: number | HistogramPart;
}

interface FamilyPart {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly across: Aggregation;
  readonly series: readonly SeriesPart[];
}

/** The metrics of one process as plain data. */
export type MetricsPart = readonly FamilyPart[];

/**
 * Merges the metrics of all workers: pass the result to `shared` of `runWorkers`, and to `createMetricsHandler`. Counters and histograms
 * are summed, including those of ended workers, so that they never decrease. Gauges of running workers are merged as their `across` says. If a
 * worker dies, its counts since the last collection are lost.
 *
 * `name` distinguishes several registries of one program. Default "metrics".
 */
export function shareMetrics(registry: Registry, name = "metrics"): Shared<MetricsPart> {
  return createShared<MetricsPart>({
    name,
    read: () => registry.collect().map(partOf),
    merge: mergeParts,
    keep: (part) => part.filter(({ type }) => type !== "gauge"),
  });
}

/** Returns the families for the exposition: the merged metrics, and the state of the workers. */
export function familiesOf({ value, workers }: MergedParts<MetricsPart>): readonly Family[] {
  const registry = createRegistry();
  registry.gauge("tercel_workers_wanted", { help: "Configured number of workers." }).with().set(workers.wanted);
  registry.gauge("tercel_workers_ready", { help: "Ready workers." }).with().set(workers.ready);
  registry.counter("tercel_workers_lost_total", { help: "Workers that ended unexpectedly." }).with().value =
    workers.lost;
  for (const family of value) fill(registry, family);
  return registry.collect();
}

function fill(registry: Registry, { name, type, help, labelNames, across, series }: FamilyPart): void {
  // The workers have already limited their series.
  const options = { help, labels: [...labelNames], maxSeries: Number.POSITIVE_INFINITY };
  if (type === "histogram") {
    const bounds = series.find(({ value }) => typeof value === "object")?.value as HistogramPart | undefined;
    const family = registry.histogram(name, { ...options, ...(bounds !== undefined && { bounds: bounds.bounds }) });
    for (const { values, value } of series) if (typeof value === "object") refill(family.with(...values), value);
    return;
  }
  const family = type === "counter" ? registry.counter(name, options) : registry.gauge(name, { ...options, across });
  for (const { values, value } of series) if (typeof value === "number") family.with(...values).value = value;
}

function refill(histogram: Histogram, { counts, exemplars, sum }: HistogramPart): void {
  for (const [at, count] of counts.entries()) histogram.counts[at] = count;
  for (const [at, exemplar] of exemplars.entries()) histogram.exemplars[at] = exemplar;
  histogram.sum = sum;
}

function partOf({ name, type, help, labelNames, across, series }: Family): FamilyPart {
  return {
    name,
    type,
    help,
    labelNames,
    across,
    series: Array.from(series.values(), ({ values, series: one }) => ({
      values,
      value: one instanceof Counter || one instanceof Gauge ? one.value : histogramPart(one),
    })),
  };
}

function histogramPart({ bounds, counts, exemplars, sum }: Histogram): HistogramPart {
  return { bounds, counts, exemplars, sum };
}

/** Merges parts. Families and series keep the order of their first appearance. */
export function mergeParts(parts: readonly MetricsPart[]): MetricsPart {
  const families = new Map<string, { readonly family: FamilyPart; readonly series: Map<string, SeriesPart> }>();
  for (const family of parts.flat()) {
    const known = families.get(family.name) ?? { family, series: new Map<string, SeriesPart>() };
    families.set(family.name, known);
    for (const one of family.series) {
      const key = one.values.join("\u0000");
      const earlier = known.series.get(key);
      known.series.set(key, earlier === undefined ? one : { ...one, value: join(earlier.value, one.value, family) });
    }
  }
  return Array.from(families.values(), ({ family, series }) => ({ ...family, series: [...series.values()] }));
}

function join(a: SeriesPart["value"], b: SeriesPart["value"], { type, across }: FamilyPart): SeriesPart["value"] {
  if (typeof a === "object" && typeof b === "object") return joinHistograms(a, b);
  if (typeof a === "object" || typeof b === "object") return b;
  const rule = type === "gauge" ? across : "sum";
  return rule === "sum" ? a + b : rule === "max" ? Math.max(a, b) : Math.min(a, b);
}

function joinHistograms(a: HistogramPart, b: HistogramPart): HistogramPart {
  // A replaced worker may have run an older program with other bounds, whose counts cannot be merged.
  if (a.bounds.length !== b.bounds.length || a.bounds.some((bound, at) => bound !== b.bounds[at])) return a;
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, at) => count + (b.counts[at] ?? 0)),
    exemplars: a.exemplars.map((exemplar, at) => later(exemplar, b.exemplars[at])),
    sum: a.sum + b.sum,
  };
}

function later(a: Exemplar | undefined, b: Exemplar | undefined): Exemplar | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.atSeconds >= a.atSeconds ? b : a;
}
