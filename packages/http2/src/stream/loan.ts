/** A stream as far as it borrows. */
export interface Borrower {
  readonly id: number;
  loan: Loan | undefined;
  /** Gives the peer credit for data that it has sent. */
  consume(bytes: number): void;
}

/** What a stream holds of a message whose parts have their credit while they are held, or wait for it. */
export interface Loan {
  readonly stream: Borrower;
  /** Bytes with credit that are still held. */
  granted: number;
  /** Bytes that wait for credit. */
  wanted: number;
  /** The message is complete, and waits for the application. */
  isComplete: boolean;
  /** What had been granted when it was last looked at, and when it last grew enough. */
  seenBytes: number;
  sinceMs: number;
}
