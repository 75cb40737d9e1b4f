const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
/** Matches durations as in Go: one or more numbers with units, `1h30m`, `1.5s`; 0 needs no unit. */
export const durationPattern = /^(?:0|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)$/;
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy;

/**
 * Parses a duration such as `30s`, `250ms`, `1h30m` or `2d` to milliseconds; 0 needs no unit. Undefined for other text, and for more milliseconds
 * than a number can represent.
 */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(partPattern)) totalMs += Number(amount) * (unitMs.get(unit) ?? 0);
  const roundedMs = Math.round(totalMs);
  return Number.isSafeInteger(roundedMs) ? roundedMs : undefined;
}

/** Formats milliseconds as the shortest text: `90000` is `90s`. */
export function formatDuration(valueMs: number): string {
  if (valueMs === 0) return "0";
  const [unit, size] = [...unitMs].findLast(([, candidateMs]) => valueMs % candidateMs === 0) ?? ["ms", 1];
  return `${valueMs / size}${unit}`;
}
