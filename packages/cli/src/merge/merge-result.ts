/** What two changes of one text became. */
export interface MergeResult {
  /** With a block of markers for each conflict, which holds both sides: nothing is lost. */
  readonly text: string;
  readonly hasConflict: boolean;
}

/** What stands at the markers. */
export interface MergeLabels {
  /** At the caller's side: `yours`. */
  readonly mine: string;
  /** At the other side: `tercel 0.2.0`. */
  readonly theirs: string;
}
