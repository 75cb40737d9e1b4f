import { parseDuration } from "@tercel/service/config";
import { usageFailure } from "./failure.ts";

/** The longest time that Node's timers support. */
const maxTimerMs = 2 ** 31 - 1;

/** Parses `500ms`, `1.5s`, `2m` or `1h30m` to milliseconds. Undefined for other text and for times that Node's timers do not support. */
export function parseTimerMs(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= maxTimerMs ? ms : undefined;
}

/** Parses the value of an option to milliseconds. @throws CommandFailure that shows the expected form */
export function readDuration(option: string, text: string): number {
  const ms = parseTimerMs(text);
  if (ms !== undefined && ms > 0) return ms;
  const hint = /^\d+(\.\d+)?$/.test(text) ? `add a unit: ${text}s` : "expected a duration such as 500ms, 30s or 2m";
  throw usageFailure(`invalid ${option} ${JSON.stringify(text)}: ${hint}`);
}

/** Formats a duration with sensible precision: `340 ms`, `1.25 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2).replace(/\.00$/, "")} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
