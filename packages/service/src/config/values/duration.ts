import { description, type GenericSchema, metadata, pipe, rawTransform, regex, string } from "valibot";
import { durationPattern, formatDuration, parseDuration } from "./duration-text.ts";

const sayUnit = 'add a unit: "30s"';

export interface DurationOptions {
  readonly description?: string;
  /** Default 0. */
  readonly minMs?: number;
  /** Default 1,000 days. */
  readonly maxMs?: number;
  readonly reload?: boolean;
}

/** 1,000 days, which is longer than any service waits. */
const mostMs = 86_400_000_000;

function rangeText(minMs: number, maxMs: number): string {
  if (maxMs !== mostMs) return ` from ${formatDuration(minMs)} to ${formatDuration(maxMs)},`;
  return minMs === 0 ? "" : ` of ${formatDuration(minMs)} or more,`;
}

/** Returns the schema of a duration with a unit, `30s`; its value is in milliseconds. */
export function duration(options: DurationOptions = {}): GenericSchema<string, number> {
  const { minMs = 0, maxMs = mostMs, reload = false } = options;
  const expects = `a duration${rangeText(minMs, maxMs)} such as 30s`;
  return pipe(
    string(({ input }) => (typeof input === "number" ? sayUnit : `expected ${expects}`)),
    regex(durationPattern, ({ input }) => (/^\d+(\.\d+)?$/.test(input) ? sayUnit : `expected ${expects}`)),
    metadata({ expects, reload }),
    description(options.description ?? ""),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const valueMs = parseDuration(dataset.value) ?? Number.NaN;
      if (valueMs >= minMs && valueMs <= maxMs) return valueMs;
      addIssue({ message: `expected ${expects}` });
      return NEVER;
    }),
  );
}
