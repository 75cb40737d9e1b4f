/** Points of a trace: shown with the bucket an observation fell into, so that a slow bucket leads to a slow call. */
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

  /** `by` is not negative: what may fall is a gauge. */
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
  /** Upper bounds, rising; what is above the last falls into one more bucket. */
  readonly bounds: readonly number[];
  readonly counts: number[];
  readonly exemplars: (Exemplar | undefined)[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
    this.exemplars = new Array<Exemplar | undefined>(bounds.length + 1).fill(undefined);
  }

  /** Returns the bucket it fell into, for `setExemplar`. */
  observe(value: number): number {
    const { bounds } = this;
    let at = 0;
    // A bound belongs to its bucket: "le" means less or equal.
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

/** How the values of several processes become one. Counters and histograms are always summed. */
export type Aggregation = "sum" | "max" | "min";

/** All series of one name. */
export interface Family<S extends Series = Series> {
  /** Counters end in `_total`, and what has a unit has it before that. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly across: Aggregation;
  /** By label values; the first asked for is the first shown. */
  readonly series: ReadonlyMap<string, { readonly values: readonly string[]; readonly series: S }>;
  /**
   * The series with these label values, in the order of the label names; it is made when it is asked for the first time. Keep it where it
   * is used often. Beyond `maxSeries` every further one is the series whose labels are all `other`.
   */
  with(...values: readonly string[]): S;
}

export interface FamilyOptions {
  /** One line that says what is counted. */
  help: string;
  /** Default: none, so that `with()` is the only series. */
  labels?: readonly string[];
  /** The most series there may be, so that labels from outside cannot fill the memory. Default 2000. */
  maxSeries?: number;
}

export interface GaugeOptions extends FamilyOptions {
  /** What several workers say of it together: their sum (the default), the largest or the smallest value. */
  across?: Aggregation;
}

export interface Registry {
  /** @throws TypeError for a name or label that Prometheus does not allow, or one that is taken */
  counter(name: string, options: FamilyOptions): Family<Counter>;
  gauge(name: string, options: GaugeOptions): Family<Gauge>;
  /** @throws also RangeError for bounds that do not rise */
  histogram(name: string, options: FamilyOptions & { bounds?: readonly number[] }): Family<Histogram>;
  /** Called before each exposition, to set gauges that are looked up rather than kept. The returned function calls it off. */
  beforeCollect(update: () => void): () => void;
  /** Every family, up to date. */
  collect(): readonly Family[];
}

/** Half a millisecond to ten seconds: from a call within a machine to one whose user has given up. */
export const defaultDurationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const defaultMaxSeries = 2000;

/** Makes an empty registry; nothing is registered by being imported. */
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
      if (!rises) throw new RangeError(`metric ${name}: the bounds must rise and be finite`);
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
        throw new TypeError(`metric ${name} takes ${labelNames.length} label values, and was given ${values.length}`);
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
