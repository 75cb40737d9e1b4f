import { description, type GenericSchema, metadata, pipe, rawTransform, regex, string } from "valibot";

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
/** Like Go's: one or more numbers with units, `1h30m`, `1.5s`; 0 needs none. */
const durationPattern = /^(?:0|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)$/;
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy;
const sayUnit = 'say a unit: "30s"';

/** The milliseconds that a text such as `30s`, `250ms` or `1h30m` says; undefined for one that says none. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(partPattern)) totalMs += Number(amount) * (unitMs.get(unit) ?? 0);
  return Math.round(totalMs);
}

/** The shortest text for a number of milliseconds: `90000` is `90s`. */
export function formatDuration(valueMs: number): string {
  if (valueMs === 0) return "0";
  const [unit, size] = [...unitMs].findLast(([, candidateMs]) => valueMs % candidateMs === 0) ?? ["ms", 1];
  return `${valueMs / size}${unit}`;
}

export interface DurationOptions {
  readonly description?: string;
  /** Default 0. */
  readonly minMs?: number;
  /** Default 1,000 days. */
  readonly maxMs?: number;
  readonly reload?: boolean;
}

/** 1,000 days: no service waits for longer. */
const mostMs = 86_400_000_000;

function rangeText(minMs: number, maxMs: number): string {
  if (maxMs !== mostMs) return ` from ${formatDuration(minMs)} to ${formatDuration(maxMs)},`;
  return minMs === 0 ? "" : ` of ${formatDuration(minMs)} or more,`;
}

/** A setting that is a duration with a unit, `30s`; its value is in milliseconds. */
export function duration(options: DurationOptions = {}): GenericSchema<string, number> {
  const { minMs = 0, maxMs = mostMs, reload = false } = options;
  const expects = `a duration${rangeText(minMs, maxMs)} such as 30s`;
  return pipe(
    string(({ input }) => (typeof input === "number" ? sayUnit : `it is ${expects}`)),
    regex(durationPattern, ({ input }) => (/^\d+(\.\d+)?$/.test(input) ? sayUnit : `it is ${expects}`)),
    metadata({ expects, reload }),
    description(options.description ?? ""),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const valueMs = parseDuration(dataset.value) ?? Number.NaN;
      if (valueMs >= minMs && valueMs <= maxMs) return valueMs;
      addIssue({ message: `it is ${expects}` });
      return NEVER;
    }),
  );
}
