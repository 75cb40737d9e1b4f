/** What may be done in one turn of the event loop. */
export interface TurnLimits {
  readonly maxCount: number;
  /** From the first on. Some take a hundred times as long as others. */
  readonly maxMs: number;
}

/** How much may be done in one turn of the event loop, by all that share it. What is left is done in the next one. */
export class TurnBudget {
  readonly #limits: TurnLimits;
  readonly #nowMs: () => number;
  #taken = 0;
  #beganMs = 0;

  constructor(limits: TurnLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** False: nothing is left for this turn. */
  take(): boolean {
    if (this.#taken === 0) this.#begin();
    else if (this.#isSpent) return false;
    this.#taken++;
    return true;
  }

  get #isSpent(): boolean {
    const { maxCount, maxMs } = this.#limits;
    return this.#taken === maxCount || this.#nowMs() - this.#beganMs >= maxMs;
  }

  #begin(): void {
    this.#beganMs = this.#nowMs();
    setImmediate(() => {
      this.#taken = 0;
    });
  }
}
