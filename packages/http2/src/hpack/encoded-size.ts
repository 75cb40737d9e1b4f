import { entryOverheadBytes } from "./dynamic-table.ts";
import { maxIntegerBytes } from "./integer.ts";

/** A block opens with two size updates at most (RFC 7541 §4.2). */
const maxSizeUpdateBytes = 2 * maxIntegerBytes;

/** The byte that says "literal, name follows", and the lengths of name and value; an index takes less. */
const maxFieldOverheadBytes = 1 + 2 * maxIntegerBytes;

/** Upper bound of a block with these fields: Huffman encoding is used only where it makes a string shorter. */
export function maxEncodedBytes(fields: readonly string[]): number {
  let bytes = maxSizeUpdateBytes + maxFieldOverheadBytes * (fields.length >>> 1);
  for (let index = 0; index < fields.length; index++) bytes += (fields[index] as string).length;
  return bytes;
}

/** The size of a list as RFC 9113 §6.5.2 counts it: what SETTINGS_MAX_HEADER_LIST_SIZE limits. */
export function listBytes(fields: readonly string[]): number {
  let bytes = entryOverheadBytes * (fields.length >>> 1);
  for (let index = 0; index < fields.length; index++) bytes += (fields[index] as string).length;
  return bytes;
}
