/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
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
 * Has `Math.random` follow a seed, for the pauses before retries and the choice of balancers, until the returned function is called.
 *
 * @throws Error while another seed is in force: two would disturb each other
 */
export function seedMathRandom(random: () => number): () => void {
  if (isReplaced) throw new Error("Math.random follows the seed of another mesh; stop that one first");
  const original = Math.random;
  isReplaced = true;
  Math.random = random;
  return () => {
    if (Math.random !== random) return;
    Math.random = original;
    isReplaced = false;
  };
}
