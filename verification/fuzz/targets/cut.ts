/**
 * Cuts bytes into chunks with the lengths in `cuts`, repeatedly. A length of 0 means the whole rest.
 * Without cuts everything is one chunk.
 */
export function* cut(bytes: Uint8Array, cuts: Uint8Array): Generator<Uint8Array> {
  let turn = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = (cuts[turn++ % Math.max(cuts.length, 1)] ?? 0) || bytes.length;
    // A separate buffer, as sockets deliver them, so that reading beyond its end finds nothing.
    yield bytes.slice(at, at + length);
    at += length;
  }
}
