/** The result of merging two changes of one text. */
export interface MergeResult {
  /** The merged text. Each conflict is a block of markers with both sides, so that nothing is lost. */
  readonly text: string;
  readonly hasConflict: boolean;
}

/** The labels at conflict markers. */
export interface MergeLabels {
  /** Label of the user's side: `yours`. */
  readonly mine: string;
  /** Label of the other side: `tercel 0.2.0`. */
  readonly theirs: string;
}
