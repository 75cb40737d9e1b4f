/** How many of what the items have had, by names in the plural. */
export type Counts = Readonly<Record<string, number>>;

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
  /** Whether its files need a disk. Default: they are kept in memory, where a sync takes no time; no item cuts the power. */
  readonly onDisk?: boolean;
  /** Whether all items come from one recording, which another process would not make alike. */
  readonly inOneProcess?: boolean;
  /** Prepares what items share. */
  start(): Promise<StartedProof> | StartedProof;
}

export interface StartedProof {
  /** Checks one item; throws what is wrong. May return what the item had. */
  check(seed: number, index: number): Promise<Counts | undefined> | Promise<void> | Counts | void;
  /** Items that there are at all, if that is not any number. */
  readonly limit?: number;
  close?(): Promise<void> | void;
}
