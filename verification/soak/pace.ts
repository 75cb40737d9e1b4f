/** A portion is never larger than what falls due in this time; who is later than that was itself not running. */
const longestPortionMs = 100;

/**
 * How many calls to begin now, of so many per second. It does not wait for answers, as users do not; but what could not begin in its
 * time is left out and counted, instead of being made up for by a burst beyond the rate.
 */
export class Pace {
  begun = 0;
  /** Due while this process stood still, or while so many calls were under way that more would only have measured the queue. */
  leftOut = 0;
  private readonly callsPerSecond: number;
  private readonly maxUnderWay: number;
  private readonly maxPortion: number;

  constructor(callsPerSecond: number, maxUnderWay: number) {
    this.callsPerSecond = callsPerSecond;
    this.maxUnderWay = maxUnderWay;
    this.maxPortion = Math.max(1, Math.floor((callsPerSecond * longestPortionMs) / 1000));
  }

  /** Of what fell due until `elapsedMs`, the calls to begin now. They count as begun. */
  take(elapsedMs: number, underWay: number): number {
    const due = Math.floor((elapsedMs * this.callsPerSecond) / 1000) - this.begun - this.leftOut;
    const taken = Math.min(due, this.maxPortion, Math.max(0, this.maxUnderWay - underWay));
    this.begun += taken;
    this.leftOut += due - taken;
    return taken;
  }

  describe(): string {
    const share = (100 * this.begun) / Math.max(1, this.begun + this.leftOut);
    return `${this.begun} calls begun, ${share.toFixed(1)} % of those asked for`;
  }
}
