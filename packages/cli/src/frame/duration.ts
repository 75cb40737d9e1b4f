import { usageFailure } from "./failure.ts";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What a timer of Node can hold. */
const maxDurationMs = 2 ** 31 - 1;

/**
 * Reads `500ms`, `1.5s`, `2m` or `1h30m`, in milliseconds. Undefined when it is not a duration; a number without a unit is none,
 * because half of the readers take 30 for seconds and the others for milliseconds.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gy)) {
    sum += Number(amount) * (unitMs[unit] ?? 0);
  }
  return sum <= maxDurationMs ? sum : undefined;
}

/** The value of an option. @throws CommandFailure that says how to write it */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  const hint = /^\d+(\.\d+)?$/.test(text) ? `add a unit: ${text}s` : "write a duration such as 500ms, 30s or 2m";
  throw usageFailure(`invalid ${option} ${JSON.stringify(text)}: ${hint}`);
}

/** `340 ms`, `1.25 s`, `2 min 5 s`: as long as a person needs it. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2).replace(/\.00$/, "")} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
