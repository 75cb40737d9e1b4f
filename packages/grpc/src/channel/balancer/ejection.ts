/** The calls of one endpoint and whether it is kept from having any (gRFC A50). */
export class EjectionRecord {
  /** Calls that ended in the interval that is under way. */
  succeeded = 0;
  failed = 0;
  ejectedAtMs: number | undefined;
  /** How often in a row it was ejected, less one for each interval that it has behaved since. */
  multiplier = 0;
}

export interface SuccessRateSettings {
  /** Standard deviations below the mean, in thousandths, at which an endpoint is an outlier. */
  readonly stdevFactor: number;
  readonly enforcementPercentage: number;
  readonly minimumHosts: number;
  readonly requestVolume: number;
}

export interface FailurePercentageSettings {
  readonly threshold: number;
  readonly enforcementPercentage: number;
  readonly minimumHosts: number;
  readonly requestVolume: number;
}

export interface EjectionSettings {
  readonly baseEjectionTimeMs: number;
  readonly maxEjectionTimeMs: number;
  readonly maxEjectionPercent: number;
  readonly successRate: SuccessRateSettings | undefined;
  readonly failurePercentage: FailurePercentageSettings | undefined;
}

/**
 * The end of an interval: ejects outliers, lets those back whose time is over, and begins to count anew. `random` is from 0 up
 * to 1.
 */
export function endInterval(
  records: readonly EjectionRecord[],
  settings: EjectionSettings,
  nowMs: number,
  random: () => number,
): void {
  const counts = records.map((record) => ({ record, succeeded: record.succeeded, failed: record.failed }));
  for (const record of records) {
    record.succeeded = 0;
    record.failed = 0;
  }
  let ejected = records.filter(({ ejectedAtMs }) => ejectedAtMs !== undefined).length;
  const mayEject = (): boolean => (ejected / records.length) * 100 < settings.maxEjectionPercent;
  const eject = (record: EjectionRecord, enforcementPercentage: number): void => {
    if (Math.floor(random() * 100) >= enforcementPercentage) return;
    if (record.ejectedAtMs === undefined) ejected += 1;
    record.ejectedAtMs = nowMs;
    record.multiplier += 1;
  };

  const { successRate, failurePercentage } = settings;
  if (successRate !== undefined) {
    const judged = withVolume(counts, successRate.requestVolume);
    if (judged.length >= successRate.minimumHosts) {
      const rates = judged.map(({ succeeded, failed }) => succeeded / (succeeded + failed));
      const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
      const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
      const least = mean - (Math.sqrt(variance) * successRate.stdevFactor) / 1000;
      for (const { record, succeeded, failed } of judged) {
        if (!mayEject()) break;
        if (succeeded / (succeeded + failed) < least) eject(record, successRate.enforcementPercentage);
      }
    }
  }
  if (failurePercentage !== undefined) {
    const judged = withVolume(counts, failurePercentage.requestVolume);
    if (judged.length >= failurePercentage.minimumHosts) {
      for (const { record, succeeded, failed } of judged) {
        if (!mayEject()) break;
        const percentage = (failed / (succeeded + failed)) * 100;
        if (percentage > failurePercentage.threshold) eject(record, failurePercentage.enforcementPercentage);
      }
    }
  }
  for (const record of records) {
    if (record.ejectedAtMs === undefined) {
      record.multiplier = Math.max(0, record.multiplier - 1);
    } else if (nowMs >= record.ejectedAtMs + ejectionTimeMs(record, settings)) {
      record.ejectedAtMs = undefined;
    }
  }
}

/** Longer each time in a row, up to a limit. */
function ejectionTimeMs({ multiplier }: EjectionRecord, settings: EjectionSettings): number {
  const { baseEjectionTimeMs, maxEjectionTimeMs } = settings;
  return Math.min(baseEjectionTimeMs * multiplier, Math.max(baseEjectionTimeMs, maxEjectionTimeMs));
}

interface Counts {
  readonly record: EjectionRecord;
  readonly succeeded: number;
  readonly failed: number;
}

/** Those with enough calls to judge by; one without any has no rate at all. */
function withVolume(counts: readonly Counts[], requestVolume: number): readonly Counts[] {
  return counts.filter(({ succeeded, failed }) => succeeded + failed >= Math.max(1, requestVolume));
}
