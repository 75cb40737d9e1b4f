import { description, type GenericSchema, metadata, pipe, rawTransform, regex, string } from "valibot";
import { durationPattern, formatDuration, parseDuration } from "./duration-text.ts";

const sayUnit = 'say a unit: "30s"';

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
