/** One or more of a number and a unit, as Go writes durations. */
const durationPattern = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses a duration such as `30s`, `1m30s` or `250ms`, in milliseconds; undefined for other text. */
export function parseDurationMs(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    totalMs += Number(amount) * (unitMs[unit ?? ""] ?? 0);
  return Math.round(totalMs);
}
