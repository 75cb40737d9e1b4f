export interface AdaptiveLimitSettings {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
}

/** A limit that keeps this share of the rate with fewer calls at once is better: the others only waited for each other. */
const keptRate = 0.9;
/** A higher limit must raise the rate by this much, because it lets calls take longer. */
const gainedRate = 1.1;
/** Until it has found its place a limit is halved, afterwards it moves by smaller steps. */
const coarseStep = 0.5;
const fineSteps = [1.25, 0.8] as const;
/** Windows between two steps once a step was taken back: each costs some of the rate. */
const restWindows = 10;
/** The rate of one window is noisy. */
const rateSmoothing = 0.3;
/** How much of the way back to the initial limit a window goes in which no call had to wait. */
const relaxation = 0.1;

/**
 * How many calls of one method are good at once, learned by trying: while calls wait for the limit, a window with fewer at once shows
 * whether as many are answered. If so, each took less time for the same result (Little's law: calls at once = rate × time), and the lower
 * limit stays; if not, it is taken back. So the limit needs no idea of how long calls should take, which changes with what they ask for.
 *
 * The limit of a method for which no call waits is not touched, except that it returns to where it began.
 */
export class AdaptiveLimit {
  readonly #settings: AdaptiveLimitSettings;
  #current: number;
  /** What the limit was before the step that this window tries; undefined while none is tried. */
  #before: number | undefined;
  #step: number = coarseStep;
  #fineSteps = 0;
  #windowsToRest = 0;
  /** Calls answered in a millisecond with the limit that is kept; undefined before it was measured. */
  #rate: number | undefined;

  constructor(settings: AdaptiveLimitSettings) {
    this.#settings = settings;
    this.#current = settings.initialLimit;
  }

  get limit(): number {
    return Math.round(this.#current);
  }

  /** Whether the limit is one that is tried. */
  get isTrying(): boolean {
    return this.#before !== undefined;
  }

  /** The rate at which calls were answered, in a millisecond, while more of them ran than the new limit allows. */
  drained(rate: number): void {
    this.#rate = rate;
  }

  /** A window in which no call had to wait; `windows` of them when nothing came for longer. */
  relax(windows: number): void {
    const { initialLimit } = this.#settings;
    if (this.#current < initialLimit) {
      this.#current = initialLimit - (initialLimit - this.#current) * (1 - relaxation) ** windows;
    }
    this.#before = undefined;
    this.#rate = undefined;
    this.#windowsToRest = 0;
    if (this.limit === initialLimit) this.#step = coarseStep;
  }

  /** A window in which calls waited for the limit. `late`: those that missed their deadline while they ran. */
  endWindow(elapsedMs: number, answered: number, late: number): void {
    if (answered === 0) {
      // Nothing to compare, and nothing to lose.
      if (late > 0) this.#moveTo(this.#current * coarseStep);
      this.#before = undefined;
      this.#rate = undefined;
      return;
    }
    const rate = answered / elapsedMs;
    if (this.#before === undefined) this.#rest(rate);
    else this.#judge(rate, this.#before);
  }

  #rest(rate: number): void {
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * rateSmoothing;
    if (this.#windowsToRest > 0) this.#windowsToRest--;
    else this.#try();
  }

  #judge(rate: number, before: number): void {
    const known = this.#rate ?? rate;
    const isBetter = rate >= known * (this.#step < 1 ? keptRate : gainedRate);
    if (isBetter) {
      this.#rate = Math.max(known, rate);
      this.#try();
      return;
    }
    this.#current = before;
    this.#settle();
  }

  #try(): void {
    const before = this.#current;
    this.#moveTo(before * this.#step);
    if (this.limit === Math.round(before)) {
      this.#current = before;
      this.#settle();
    } else this.#before = before;
  }

  #settle(): void {
    this.#before = undefined;
    this.#windowsToRest = restWindows;
    this.#step = fineSteps[this.#fineSteps++ % fineSteps.length] as number;
  }

  #moveTo(target: number): void {
    const { minLimit, maxLimit } = this.#settings;
    this.#current = Math.max(minLimit, Math.min(maxLimit, target));
  }
}
