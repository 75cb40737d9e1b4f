import { messagePrefixBytes } from "../../protocol/message-framing.ts";

/** Whether the range is exactly one uncompressed message within the limit: the usual small call, which needs no reader. */
export function isOneMessage(bytes: Uint8Array, start: number, end: number, maxBytes: number): boolean {
  const payloadBytes = end - start - messagePrefixBytes;
  return (
    payloadBytes >= 0 &&
    payloadBytes <= maxBytes &&
    bytes[start] === 0 &&
    bytes[start + 1] === payloadBytes >>> 24 &&
    bytes[start + 2] === ((payloadBytes >>> 16) & 0xff) &&
    bytes[start + 3] === ((payloadBytes >>> 8) & 0xff) &&
    bytes[start + 4] === (payloadBytes & 0xff)
  );
}
