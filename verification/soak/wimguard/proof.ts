/** Something that has to hold for every seed. */
export interface Proof {
  /** What an item is called, in the plural. */
  readonly items: string;
  /** So many prove it. */
  readonly count: number;
  /** What every one of them has shown. */
  readonly verdict: string;
  /** Why it cannot be run here, or false. */
  readonly without?: string | false;
  /** Prepares what all items share. */
  start(): Promise<StartedProof> | StartedProof;
}

export interface StartedProof {
  /** Checks one item; throws what is wrong. */
  check(seed: number, index: number): Promise<void> | void;
  /** Items that there are at all, if that is not any number. */
  readonly limit?: number;
  /** More figures for the verdict. */
  describe?(): string;
  close?(): Promise<void> | void;
}
