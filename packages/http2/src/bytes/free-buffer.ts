/**
 * Frees the memory of `bytes` at once instead of leaving it to the garbage collector, which counts such memory and collects the
 * whole heap for every few dozen MB of it: that was half of the time of a server that echoes messages of 1 MiB. Whoever still
 * holds `bytes` finds it empty. A part of a larger buffer is left alone, because others may hold the rest; a single byte at its end is none,
 * because zlib needs one more than it fills.
 */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && bytes.byteOffset === 0 && buffer.byteLength - bytes.length <= 1)
    buffer.transfer(0);
}
