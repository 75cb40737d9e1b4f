/** The calls of one endpoint and whether it is kept from having any (gRFC A50). */
export class EjectionRecord {
  /** Calls that ended in the interval that is under way. */
  succeeded = 0;
  failed = 0;
  ejectedAtMs: number | undefined;
  /** Half a sentence for errors; of the latest ejection. */
  ejectionReason = "";
  /** Calls in a row that ended at their deadlines without a response; a response ends the row. */
  deadlinesInRow = 0;
  /** Calls that any endpoint had responded to when the row began. */
  answeredBefore = 0;
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
  /** Calls in a row without a word of the endpoint before their deadlines that eject it at once. */
  readonly consecutiveDeadlines: number | undefined;
}

/**
 * Ejects an endpoint that hangs: this many calls in a row got no response while other endpoints responded (otherwise the deadlines are too short, or
 * what all of them depend on is slow). One that is let back hangs still if its next call gets no response either. Returns whether it was
 * ejected.
 */
export function ejectHung(
  record: EjectionRecord,
  records: Iterable<EjectionRecord>,
  settings: Pick<EjectionSettings, "consecutiveDeadlines" | "maxEjectionPercent"> & { readonly answered: number },
  nowMs: number,
): boolean {
  const { consecutiveDeadlines = Number.POSITIVE_INFINITY, answered } = settings;
  const isHung = record.deadlinesInRow >= consecutiveDeadlines && answered > record.answeredBefore;
  if (!isHung || record.ejectedAtMs !== undefined) return false;
  const all = [...records];
  if (!mayEject(countEjected(all), all.length, settings)) return false;
  eject(
    record,
    nowMs,
    `ejected, because ${record.deadlinesInRow} calls in a row got no response before their deadlines`,
  );
  return true;
}

function mayEject(ejected: number, all: number, settings: Pick<EjectionSettings, "maxEjectionPercent">): boolean {
  return (ejected / all) * 100 < settings.maxEjectionPercent;
}

function countEjected(records: readonly EjectionRecord[]): number {
  return records.filter(({ ejectedAtMs }) => ejectedAtMs !== undefined).length;
}

function eject(record: EjectionRecord, nowMs: number, reason: string): void {
  record.ejectedAtMs = nowMs;
  record.multiplier += 1;
  record.ejectionReason = reason;
}

/**
 * The end of an interval: ejects outliers, lets those back whose time is over, and begins to count again. `random` is from 0 up
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
  let ejected = countEjected(records);
  const mayEjectMore = (): boolean => mayEject(ejected, records.length, settings);
  const enforce = (record: EjectionRecord, enforcementPercentage: number): void => {
    if (Math.floor(random() * 100) >= enforcementPercentage) return;
    if (record.ejectedAtMs === undefined) ejected += 1;
    eject(record, nowMs, "ejected, because it failed more calls than the others");
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
        if (!mayEjectMore()) break;
        if (succeeded / (succeeded + failed) < least) enforce(record, successRate.enforcementPercentage);
      }
    }
  }
  if (failurePercentage !== undefined) {
    const judged = withVolume(counts, failurePercentage.requestVolume);
    if (judged.length >= failurePercentage.minimumHosts) {
      for (const { record, succeeded, failed } of judged) {
        if (!mayEjectMore()) break;
        const percentage = (failed / (succeeded + failed)) * 100;
        if (percentage > failurePercentage.threshold) enforce(record, failurePercentage.enforcementPercentage);
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

/** Those with enough calls to judge by; an endpoint without calls does not have a rate. */
function withVolume(counts: readonly Counts[], requestVolume: number): readonly Counts[] {
  return counts.filter(({ succeeded, failed }) => succeeded + failed >= Math.max(1, requestVolume));
}
