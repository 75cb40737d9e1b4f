/** How much may be done in one turn of the event loop, by all that share it. What is left is done in the next one. */
export class TurnBudget {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** False: nothing is left for this turn. */
  take(): boolean {
    if (this.#taken === this.#max) return false;
    if (this.#taken === 0) {
      setImmediate(() => {
        this.#taken = 0;
      });
    }
    this.#taken++;
    return true;
  }
}
