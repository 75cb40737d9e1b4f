export interface AdaptiveLimitSettings {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
}

/** A lower limit is better if it keeps this share of the rate: the additional calls only waited for each other. */
const keptRate = 0.9;
/** A higher limit must raise the rate by this factor, because it makes calls slower. */
const gainedRate = 1.1;
/** A limit is halved until a step fails, and then moves by smaller steps. */
const coarseStep = 0.5;
const fineSteps = [1.25, 0.8] as const;
/** The number of windows without a step after a failed one, because each step costs some of the rate. */
const restWindows = 10;
/** The weight of a new window in the average rate, because the rate of one window is noisy. */
const rateSmoothing = 0.3;
/** The share of the distance to the initial limit by which the limit recovers in a window without waiting calls. */
const relaxation = 0.1;

/**
 * A concurrency limit for one method, which adapts by trying: while calls wait for the limit, a window with a lower limit shows whether the
 * rate of completed calls stays the same. If so, each call took less time (Little's law: concurrency = rate × time), and the lower limit
 * stays; if not, the step is reverted. The limit does not depend on how long calls should take, which differs between requests.
 *
 * The limit of a method without waiting calls does not change, except that it returns to the initial limit.
 */
export class AdaptiveLimit {
  readonly #settings: AdaptiveLimitSettings;
  #current: number;
  /** The limit before the step that is being tried; undefined without one. */
  #before: number | undefined;
  #step: number = coarseStep;
  #fineSteps = 0;
  #windowsToRest = 0;
  /** Completed calls per millisecond with the accepted limit; undefined before it was measured. */
  #rate: number | undefined;

  constructor(settings: AdaptiveLimitSettings) {
    this.#settings = settings;
    this.#current = settings.initialLimit;
  }

  get limit(): number {
    return Math.round(this.#current);
  }

  /** Whether a step is being tried. */
  get isTrying(): boolean {
    return this.#before !== undefined;
  }

  /** Reports the rate of completed calls per millisecond while more calls ran than the new limit allows. */
  drained(rate: number): void {
    this.#rate = rate;
  }

  /** Reports `windows` windows in which no call had to wait. */
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

  /** Reports a window in which calls waited for the limit. `late` is the number of calls that exceeded their deadline while they ran. */
  endWindow(elapsedMs: number, answered: number, late: number): void {
    if (answered === 0) {
      // Without completed calls, there is no rate to compare or to lose.
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
