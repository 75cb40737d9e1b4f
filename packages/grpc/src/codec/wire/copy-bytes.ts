/**
 * An ArrayBuffer of its own costs about 0.6 µs to make and free, ten times as much as a view of one that exists. Sixteen KiB
 * spread that over many messages, and are all the memory that one small kept message can hold back.
 */
const slabBytes = 16 * 1024;

/** Bytes beyond which a copy gets a buffer of its own: a few of these would fill a slab. */
const maxSharedBytes = 4 * 1024;

let slab = new ArrayBuffer(slabBytes);
let used = 0;

/**
 * Copies bytes `start` to `end` into memory that no one will write to again. Small copies share a buffer with others, so that
 * the pages they come from can be freed or reused at little cost.
 */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > maxSharedBytes) return new Uint8Array(bytes.subarray(start, end));
  if (used + length > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    used = 0;
  }
  const copy = new Uint8Array(slab, used, length);
  // Multiples of eight keep copies aligned, which memory operations like.
  used = (used + length + 7) & ~7;
  if (length <= 64) {
    for (let at = 0; at < length; at++) copy[at] = bytes[start + at] as number;
  } else {
    copy.set(bytes.subarray(start, end));
  }
  return copy;
}
