import type { BalancerFactory } from "./index.ts";
import { defaultConsecutiveDeadlines, OutlierDetection, type OutlierDetectionConfig } from "./outlier-detection.ts";

/** As gRFC A50's defaults, except that half of the endpoints may be ejected: that none of them answers is beyond doubt. */
const defaults: Omit<OutlierDetectionConfig, "child"> = {
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 50,
  successRate: undefined,
  failurePercentage: undefined,
  consecutiveDeadlines: defaultConsecutiveDeadlines,
};

/**
 * The same policy, which keeps calls for a while from endpoints that hang. Statuses that servers send are not judged: without knowing the
 * methods no one can say which of them are the endpoint's fault.
 */
export function ejectingHung(factory: BalancerFactory, random: () => number): BalancerFactory {
  return {
    ...factory,
    create(host) {
      const detection = new OutlierDetection(host, random);
      return {
        update({ endpoints, config }) {
          const child = config === undefined ? { factory } : { factory, config };
          return detection.update({ endpoints, config: { ...defaults, child } });
        },
        onResolverError: (error) => detection.onResolverError(error),
        exitIdle: () => detection.exitIdle(),
        close: () => detection.close(),
      };
    },
  };
}
