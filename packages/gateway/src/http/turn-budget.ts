/** A shared budget for the work in one turn of the event loop. The rest is done in the next turn. */
export class TurnBudget {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one unit. Returns false if nothing is left for this turn. */
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
