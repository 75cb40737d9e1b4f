/** What a server says about sending the call once more: after that many milliseconds, or not at all. */
export type Pushback = number | "never";

const fieldName = "grpc-retry-pushback-ms";
const largestInt32 = 0x7fff_ffff;

/**
 * Reads `grpc-retry-pushback-ms` (gRFC A6); undefined without it. A signed 32-bit number without leading zeros; one that is
 * negative or cannot be read, two values included, forbids another attempt.
 */
export function readPushback(metadata: Headers): Pushback | undefined {
  const text = metadata.get(fieldName);
  if (text === null) return undefined;
  if (!/^(0|[1-9][0-9]{0,9})$/.test(text)) return "never";
  const delayMs = Number(text);
  return delayMs <= largestInt32 ? delayMs : "never";
}
