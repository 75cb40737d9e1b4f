import type { BlockCursor } from "./block-cursor.ts";
import { HpackError } from "./hpack-error.ts";

/**
 * Bytes of an integer, the one with the prefix included. Four continuations carry 28 bits, more than any index, length
 * or table size we could honour; without a bound a peer could pad one integer endlessly.
 */
export const maxIntegerBytes = 5;

export const maxInteger = 2 ** 28;

/**
 * Reads an integer (RFC 7541 §5.1) from its first byte on. `prefixMask` covers the byte's prefix bits.
 * Refused: an integer that the block cuts off, more than five bytes, more than 2^28, and padding, where the last byte
 * adds nothing to those before it.
 */
export function readInteger(cursor: BlockCursor, prefixMask: number): number {
  const { bytes, end } = cursor;
  let position = cursor.position;
  if (position >= end) throw new HpackError("header block ends where an integer should begin");
  const prefix = (bytes[position++] as number) & prefixMask;
  if (prefix < prefixMask) {
    cursor.position = position;
    return prefix;
  }
  let value = prefixMask;
  const first = position;
  const stop = first + maxIntegerBytes - 1;
  for (let shift = 0; position < stop; shift += 7) {
    if (position >= end) throw new HpackError("header block ends inside an integer");
    const byte = bytes[position++] as number;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte === 0 && position - first > 1) throw new HpackError("integer is padded with zeros");
      if (value > maxInteger) throw new HpackError("integer is above 2^28");
      cursor.position = position;
      return value;
    }
  }
  throw new HpackError(`integer is longer than ${maxIntegerBytes} bytes`);
}

/** Writes `value` after the bits that `firstByte` holds above the prefix; returns the offset after the integer. */
export function writeInteger(
  target: Uint8Array,
  offset: number,
  firstByte: number,
  prefixMask: number,
  value: number,
): number {
  if (value < prefixMask) {
    target[offset] = firstByte | value;
    return offset + 1;
  }
  target[offset++] = firstByte | prefixMask;
  let rest = value - prefixMask;
  while (rest >= 0x80) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}
