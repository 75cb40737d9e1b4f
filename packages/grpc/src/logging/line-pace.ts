/** Counts lines by the second or another period, and those that had to be left out since the last one. */
export class LinePace {
  private readonly maxLines: number;
  private readonly periodMs: number;
  private period = Number.NaN;
  private lines = 0;
  /** Lines left out since one was let through. */
  suppressed = 0;

  constructor(maxLines: number, periodMs = 1000) {
    this.maxLines = maxLines;
    this.periodMs = periodMs;
  }

  allows(nowMs: number): boolean {
    const period = Math.floor(nowMs / this.periodMs);
    if (period !== this.period) {
      this.period = period;
      this.lines = 0;
    }
    if (this.lines >= this.maxLines) {
      this.suppressed++;
      return false;
    }
    this.lines++;
    return true;
  }

  takeSuppressed(): number {
    const { suppressed } = this;
    this.suppressed = 0;
    return suppressed;
  }
}

/** All servers and channels of the process write to the same standard error in the end. */
const maxLinesPerProcess = 100;

export const processPace = new LinePace(maxLinesPerProcess);
