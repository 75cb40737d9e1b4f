/**
 * Cuts octets into chunks, each as long as the next octet of `cuts` says, over and over; an octet of 0 stands for all that is
 * left. Without cuts everything is one chunk.
 */
export function* cut(octets: Uint8Array, cuts: Uint8Array): Generator<Uint8Array> {
  let turn = 0;
  for (let at = 0; at < octets.length; ) {
    const length = (cuts[turn++ % Math.max(cuts.length, 1)] ?? 0) || octets.length;
    // A chunk of its own, as sockets deliver them: whoever reads beyond its end has to find nothing.
    yield octets.slice(at, at + length);
    at += length;
  }
}
