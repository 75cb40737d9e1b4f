/** One round of one kind of caller. */
export interface CallerFigures {
  /** CPU time of the process for each call. */
  readonly micros: number;
  /** Calls in a second. */
  readonly rate: number;
}
