import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Longest timeout that is distinguished: 2^63-1 nanoseconds, about 292 years. The grammar allows more (99999999H), but Go, Java
 * and C++ peers hold deadlines in signed 64-bit nanoseconds, and a relayed timeout should mean the same everywhere.
 * Timers need a clamp of their own: `setTimeout` takes at most 2^31-1 ms.
 */
export const maxTimeoutMs = 9_223_372_036_854;

const maxDigits = 8;
const largestValue = 99_999_999;

/**
 * Reads a grpc-timeout value: one to eight digits and a unit of H, M, S, m, u or n. The result may be fractional, and 0, which
 * means that the deadline has passed. Values above `maxTimeoutMs` become `maxTimeoutMs`.
 *
 * A malformed value is `Code.Internal`, as in grpc-go: it was written by the peer's library, not by the caller.
 */
export function parseTimeout(text: string): { timeoutMs: number } | { error: ConnectError } {
  const digits = text.length - 1;
  if (digits < 1 || digits > maxDigits) return malformed(text);
  let value = 0;
  for (let at = 0; at < digits; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return malformed(text);
    value = value * 10 + digit;
  }
  switch (text.charCodeAt(digits)) {
    case 0x48: // H
      return { timeoutMs: Math.min(value * 3_600_000, maxTimeoutMs) };
    case 0x4d: // M
      return { timeoutMs: value * 60_000 };
    case 0x53: // S
      return { timeoutMs: value * 1000 };
    case 0x6d: // m
      return { timeoutMs: value };
    case 0x75: // u
      return { timeoutMs: value / 1000 };
    case 0x6e: // n
      return { timeoutMs: value / 1_000_000 };
    default:
      return malformed(text);
  }
}

/**
 * Writes a grpc-timeout value in the finest unit that is needed and fits eight digits: whole milliseconds stay milliseconds
 * (short, exact, and equal for equal timeouts, which suits header compression), fractions go out as microseconds. What a
 * coarser unit cannot express is rounded up, so that the server never gives up before the client. Zero, negative numbers and
 * NaN give "0m": already over.
 */
export function formatTimeout(timeoutMs: number): string {
  if (!(timeoutMs > 0)) return "0m";
  if (timeoutMs > maxTimeoutMs) timeoutMs = maxTimeoutMs;
  if (!Number.isInteger(timeoutMs)) {
    const microseconds = Math.ceil(timeoutMs * 1000);
    if (microseconds <= largestValue) return `${microseconds}u`;
    timeoutMs = Math.ceil(timeoutMs);
  }
  if (timeoutMs <= largestValue) return `${timeoutMs}m`;
  const seconds = Math.ceil(timeoutMs / 1000);
  if (seconds <= largestValue) return `${seconds}S`;
  const minutes = Math.ceil(timeoutMs / 60_000);
  if (minutes <= largestValue) return `${minutes}M`;
  return `${Math.ceil(timeoutMs / 3_600_000)}H`;
}

function malformed(text: string): { error: ConnectError } {
  const shown = JSON.stringify(text.slice(0, 32));
  return {
    error: new ConnectError(`grpc-timeout ${shown} is not one to eight digits and a unit of HMSmun`, Code.Internal),
  };
}
