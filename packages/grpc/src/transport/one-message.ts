import { messagePrefixBytes } from "../protocol/message-framing.ts";

/** Whether the range is exactly one uncompressed message within the limit: the usual small call, which needs no reader. */
export function isOneMessage(bytes: Uint8Array, start: number, end: number, maxBytes: number): boolean {
  const octets = end - start - messagePrefixBytes;
  return (
    octets >= 0 &&
    octets <= maxBytes &&
    bytes[start] === 0 &&
    bytes[start + 1] === octets >>> 24 &&
    bytes[start + 2] === ((octets >>> 16) & 0xff) &&
    bytes[start + 3] === ((octets >>> 8) & 0xff) &&
    bytes[start + 4] === (octets & 0xff)
  );
}
