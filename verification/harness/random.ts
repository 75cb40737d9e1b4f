/** Marsaglia's xorshift: the same numbers for the same seed, so that a run can be repeated. */
export class Random {
  private state: number;

  /** @param seed Any integer except 0 */
  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** Returns a whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    let { state } = this;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state;
    return (state >>> 0) % limit;
  }

  /** Returns a number from 0 to below 1. */
  fraction(): number {
    return this.below(2 ** 32) / 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}
