/**
 * Cuts bytes into chunks, each as long as the next byte of `cuts` says, over and over; a byte of 0 means all that is
 * left. Without cuts everything is one chunk.
 */
export function* cut(bytes: Uint8Array, cuts: Uint8Array): Generator<Uint8Array> {
  let turn = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = (cuts[turn++ % Math.max(cuts.length, 1)] ?? 0) || bytes.length;
    // A chunk of its own, as sockets deliver them: whoever reads beyond its end has to find nothing.
    yield bytes.slice(at, at + length);
    at += length;
  }
}
