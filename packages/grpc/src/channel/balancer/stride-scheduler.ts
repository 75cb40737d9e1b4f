/** Weights become numbers of 16 bits, so that the products below stay exact. */
const maxWeight = 0xffff;

/** No endpoint counts for more than ten times, or less than a tenth of, the mean: one odd report must not turn the load. */
const maxRatio = 10;
const minRatio = 0.1;

/**
 * Chooses among endpoints in proportion to their weights, each as evenly spread in time as it can be (gRFC A58, "static
 * stride"): every round passes all of them in turn, and leaves out an endpoint in as many rounds as its weight falls short
 * of the largest.
 */
export interface StrideScheduler {
  /** The position of the endpoint whose turn it is. Allocates nothing. */
  next(): number;
}

/**
 * An endpoint of weight 0, about which nothing is known, counts as the mean of the others. Undefined if fewer than two have a
 * weight or all weigh the same: there is nothing to be in proportion to. `start` is any whole number; it says where to begin.
 */
export function createStrideScheduler(given: readonly number[], start: number): StrideScheduler | undefined {
  const known = given.filter((weight) => weight > 0);
  if (known.length < 2) return undefined;
  const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
  const scale = maxWeight / Math.min(Math.max(...known), mean * maxRatio);
  const scaledMean = Math.round(scale * mean);
  const least = Math.max(1, Math.round(scaledMean * minRatio));
  const weights = Uint16Array.from(given, (weight) =>
    weight > 0 ? Math.max(least, Math.min(maxWeight, Math.round(weight * scale))) : scaledMean,
  );
  if (weights.every((weight) => weight === weights[0])) return undefined;

  const count = weights.length;
  // Neighbours are out of step by half a round, or all light ones would be left out of the same rounds.
  const offset = (maxWeight + 1) / 2;
  let sequence = start >>> 0;
  return {
    next() {
      for (;;) {
        const index = sequence % count;
        const round = Math.floor(sequence / count);
        // Begins again well before the products leave the exact numbers.
        sequence = sequence >= 0xffff_ffff ? 0 : sequence + 1;
        const weight = weights[index] as number;
        if ((weight * round + index * offset) % maxWeight >= maxWeight - weight) return index;
      }
    },
  };
}
