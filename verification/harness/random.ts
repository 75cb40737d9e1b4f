/** Marsaglia's xorshift: the same numbers for the same seed, so that a run can be had again. */
export class Random {
  private state: number;

  /** `seed` is any integer but 0. */
  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    let { state } = this;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state;
    return (state >>> 0) % limit;
  }

  /** A number from 0 to below 1. */
  fraction(): number {
    return this.below(2 ** 32) / 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}
