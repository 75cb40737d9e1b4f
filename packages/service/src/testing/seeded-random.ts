/** Creates a generator of reproducible random numbers from 0 to 1 (exclusive) by seed (mulberry32). */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let isReplaced = false;

/**
 * Replaces `Math.random`, which retries and balancers use, until the returned function is called.
 *
 * @throws Error while it is already replaced
 */
export function seedMathRandom(random: () => number): () => void {
  if (isReplaced) throw new Error("another mesh has replaced Math.random; stop that one first");
  const original = Math.random;
  isReplaced = true;
  Math.random = random;
  return () => {
    if (Math.random !== random) return;
    Math.random = original;
    isReplaced = false;
  };
}
