/** A portion has at most the calls of this time. After a longer delay, this process itself was not running. */
const longestPortionMs = 100;

/**
 * Computes how many calls to start now for a rate. It does not wait for responses, like users. Calls that could not start in
 * time are omitted and counted, instead of made later in a burst above the rate.
 */
export class Pace {
  begun = 0;
  /** Calls that were due while this process did not run, or while so many calls were running that more would only measure the queue. */
  leftOut = 0;
  private readonly callsPerSecond: number;
  private readonly maxUnderWay: number;
  private readonly maxPortion: number;

  constructor(callsPerSecond: number, maxUnderWay: number) {
    this.callsPerSecond = callsPerSecond;
    this.maxUnderWay = maxUnderWay;
    this.maxPortion = Math.max(1, Math.floor((callsPerSecond * longestPortionMs) / 1000));
  }

  /** Returns the number of calls to start now, of those due until `elapsedMs`. They count as started. */
  take(elapsedMs: number, underWay: number): number {
    const due = Math.floor((elapsedMs * this.callsPerSecond) / 1000) - this.begun - this.leftOut;
    const taken = Math.min(due, this.maxPortion, Math.max(0, this.maxUnderWay - underWay));
    this.begun += taken;
    this.leftOut += due - taken;
    return taken;
  }

  describe(): string {
    const share = (100 * this.begun) / Math.max(1, this.begun + this.leftOut);
    return `${this.begun} calls started, ${share.toFixed(1)} % of the requested ones`;
  }
}
