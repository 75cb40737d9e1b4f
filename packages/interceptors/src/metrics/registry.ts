/** A trace of an observation, which is shown with its bucket, so that a slow bucket leads to the trace of a slow call. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Seconds since 1970. */
  readonly atSeconds: number;
}

/** One series of a counter. */
export class Counter {
  value = 0;

  /** @param by must not be negative; use a gauge for values that can decrease */
  add(by = 1): void {
    this.value += by;
  }
}

/** One series of a gauge. */
export class Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(by = 1): void {
    this.value += by;
  }
}

/** One series of a histogram. */
export class Histogram {
  /** Upper bounds in increasing order. One more bucket is for larger values. */
  readonly bounds: readonly number[];
  readonly counts: number[];
  readonly exemplars: (Exemplar | undefined)[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
    this.exemplars = new Array<Exemplar | undefined>(bounds.length + 1).fill(undefined);
  }

  /** Counts a value. Returns its bucket, for `setExemplar`. */
  observe(value: number): number {
    const { bounds } = this;
    let at = 0;
    // A bound is part of its bucket: "le" means less or equal.
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    (this.counts[at] as number)++;
    this.sum += value;
    return at;
  }

  setExemplar(bucket: number, exemplar: Exemplar): void {
    this.exemplars[bucket] = exemplar;
  }
}

export type Series = Counter | Gauge | Histogram;
export type FamilyType = "counter" | "gauge" | "histogram";

/** How to merge a gauge of several processes. Counters and histograms are always summed. */
export type Aggregation = "sum" | "max" | "min";

/** All series of one metric name. */
export interface Family<S extends Series = Series> {
  /** The names of counters end in `_total`. A unit comes before that. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly across: Aggregation;
  /** The series by label values, in the order of their creation. */
  readonly series: ReadonlyMap<string, { readonly values: readonly string[]; readonly series: S }>;
  /**
   * Returns the series with these label values, in the order of the label names, and creates it at the first call. Store it if it is used
   * often. Beyond `maxSeries`, all new label values share the series whose labels are `other`.
   */
  with(...values: readonly string[]): S;
}

export interface FamilyOptions {
  /** A description of the metric in one line. */
  help: string;
  /** The label names. Default: none, and `with()` is the only series. */
  labels?: readonly string[];
  /** The maximum number of series, so that labels from requests cannot exhaust the memory. Default 2000. */
  maxSeries?: number;
}

export interface GaugeOptions extends FamilyOptions {
  /** How to merge the values of several workers: their sum (the default), maximum or minimum. */
  across?: Aggregation;
}

export interface Registry {
  /** Adds a counter. @throws TypeError for an invalid name or label, or a duplicate name */
  counter(name: string, options: FamilyOptions): Family<Counter>;
  /** Adds a gauge. @throws TypeError for an invalid name or label, or a duplicate name */
  gauge(name: string, options: GaugeOptions): Family<Gauge>;
  /** Adds a histogram. @throws TypeError as for `counter`; RangeError for bounds that do not increase */
  histogram(name: string, options: FamilyOptions & { bounds?: readonly number[] }): Family<Histogram>;
  /** Registers a callback that sets gauges before each collection. The returned function removes it. */
  beforeCollect(update: () => void): () => void;
  /** Updates and returns all families. */
  collect(): readonly Family[];
}

/** From 0.5 ms, a fast call within one machine, to 10 s, after which most users have given up. */
export const defaultDurationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const defaultMaxSeries = 2000;

/** Creates an empty registry. No metric is registered by an import. */
export function createRegistry(): Registry {
  const families = new Map<string, Family>();
  const updates = new Set<() => void>();

  function add<S extends Series>(type: FamilyType, name: string, options: GaugeOptions, make: () => S): Family<S> {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new TypeError(`metric ${JSON.stringify(name)}: not a name`);
    if (type === "counter" && !name.endsWith("_total")) {
      throw new TypeError(`metric ${name}: a counter's name must end in _total`);
    }
    if (families.has(name)) throw new TypeError(`metric ${name} is registered already`);
    for (const label of options.labels ?? []) {
      if (!/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label === "le") {
        throw new TypeError(`metric ${name}: ${JSON.stringify(label)} cannot be a label`);
      }
    }
    const family = createFamily(type, name, options, make);
    families.set(name, family);
    return family;
  }

  return {
    counter: (name, options) => add("counter", name, options, () => new Counter()),
    gauge: (name, options) => add("gauge", name, options, () => new Gauge()),
    histogram(name, options) {
      const bounds = options.bounds ?? defaultDurationBounds;
      const rises = bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] ?? 0)));
      if (!rises) throw new RangeError(`metric ${name}: the bounds must be finite and increase`);
      return add("histogram", name, options, () => new Histogram(bounds));
    },
    beforeCollect(update) {
      updates.add(update);
      return () => updates.delete(update);
    },
    collect() {
      for (const update of updates) update();
      return [...families.values()];
    },
  };
}

function createFamily<S extends Series>(
  type: FamilyType,
  name: string,
  options: GaugeOptions,
  make: () => S,
): Family<S> {
  const labelNames = options.labels ?? [];
  const maxSeries = options.maxSeries ?? defaultMaxSeries;
  const series = new Map<string, { values: readonly string[]; series: S }>();
  return {
    name,
    type,
    help: options.help,
    labelNames,
    across: options.across ?? "sum",
    series,
    with(...values) {
      if (values.length !== labelNames.length) {
        throw new TypeError(`metric ${name} takes ${labelNames.length} label values, but got ${values.length}`);
      }
      const key = values.join("\u0000");
      const known = series.get(key);
      if (known !== undefined) return known.series;
      const isFull = labelNames.length > 0 && series.size >= maxSeries;
      const taken = isFull ? labelNames.map(() => "other") : [...values];
      const takenKey = taken.join("\u0000");
      const existing = isFull ? series.get(takenKey) : undefined;
      if (existing !== undefined) return existing.series;
      const made = make();
      series.set(takenKey, { values: taken, series: made });
      return made;
    },
  };
}
