import type {
  Counter,
  Family,
  FamilyType,
  Gauge,
  GaugeOptions,
  Histogram,
  Registry,
} from "@tercel/interceptors/metrics";

/**
 * Wraps a registry so that a family can be requested repeatedly: two databases of one type have the same families. Names that others registered are
 * still an error.
 */
export function createSharedFamilies(registry: Registry): Registry {
  const families = new Map<string, Family>();

  function shared<F extends Family>(type: FamilyType, name: string, options: GaugeOptions, create: () => F): F {
    const known = families.get(name);
    if (known === undefined) {
      const created = create();
      families.set(name, created);
      return created;
    }
    const labels = options.labels ?? [];
    const isSame = known.type === type && known.labelNames.join() === labels.join();
    if (!isSame) {
      throw new TypeError(
        `metric ${name} is a ${known.type} with the labels (${known.labelNames.join(", ")}); it cannot also be a ${type} with (${labels.join(", ")})`,
      );
    }
    return known as F;
  }

  return {
    counter: (name, options) =>
      shared<Family<Counter>>("counter", name, options, () => registry.counter(name, options)),
    gauge: (name, options) => shared<Family<Gauge>>("gauge", name, options, () => registry.gauge(name, options)),
    histogram: (name, options) =>
      shared<Family<Histogram>>("histogram", name, options, () => registry.histogram(name, options)),
    beforeCollect: (update) => registry.beforeCollect(update),
    collect: () => registry.collect(),
  };
}
