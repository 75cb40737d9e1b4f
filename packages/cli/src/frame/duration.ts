import { parseDuration } from "@tercel/service/config";
import { usageFailure } from "./failure.ts";

/** What a timer of Node can hold. */
const maxTimerMs = 2 ** 31 - 1;

/** Reads `500ms`, `1.5s`, `2m` or `1h30m`, in milliseconds. Undefined for other text, and above what a timer of Node can hold. */
export function parseTimerMs(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= maxTimerMs ? ms : undefined;
}

/** The value of an option. @throws CommandFailure that says how to write it */
export function readDuration(option: string, text: string): number {
  const ms = parseTimerMs(text);
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
