export interface AdaptiveLimitSettings {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
  /** How many times slower than usual calls may be before the limit sinks. */
  readonly tolerance: number;
}

/** A window with fewer samples says nothing. */
const minSamples = 10;
/** A new limit counts this much against the old one, so that one odd window does little. */
const smoothing = 0.2;
/** What is usual follows slowly: a surge must not become the usual before the limit has answered it. */
const usualWeight = 1 / 600;
/** Until then the plain average is what is usual. */
const warmUpSamples = 20;
/** No window takes more than half. */
const minGradient = 0.5;

/**
 * How many calls at once are good, learned from how long they take (the gradient of Netflix's concurrency-limits): while calls take as long
 * as usual, the limit grows by about the root of itself, and when they take longer because they wait for each other, it sinks in
 * proportion. Each method is compared with itself, so that a change in what is called is not taken for a change in speed.
 */
export class AdaptiveLimit {
  private readonly settings: AdaptiveLimitSettings;
  private current: number;
  /** Milliseconds that a method usually takes. Its names come from the proto, so there are few. */
  private readonly usual = new Map<string, { ms: number; samples: number }>();
  private samples = 0;
  private slownessSum = 0;
  private mostRunning = 0;

  constructor(settings: AdaptiveLimitSettings) {
    this.settings = settings;
    this.current = settings.initialLimit;
  }

  get limit(): number {
    return Math.floor(this.current);
  }

  /** A call has ended; `running` counts it. */
  sample(method: string, durationMs: number, running: number): void {
    const usual = this.usual.get(method) ?? { ms: 0, samples: 0 };
    this.usual.set(method, usual);
    usual.samples++;
    const weight = usual.samples <= warmUpSamples ? 1 / usual.samples : usualWeight;
    usual.ms += (durationMs - usual.ms) * weight;
    this.samples++;
    this.slownessSum += usual.ms > 0 ? durationMs / usual.ms : 1;
    this.mostRunning = Math.max(this.mostRunning, running);
  }

  /** Draws the conclusion of a window and begins the next. `isStalled`: something else says that this is too much. */
  endWindow(isStalled: boolean): void {
    const { samples, slownessSum, mostRunning } = this;
    if (isStalled) this.moveTo(this.current * minGradient);
    else if (samples >= minSamples) {
      const gradient = Math.max(minGradient, Math.min(1, (this.settings.tolerance * samples) / slownessSum));
      const room = Math.sqrt(this.current);
      // A limit that nobody comes near would grow for nothing, and let a surge in.
      if (gradient < 1 || mostRunning * 2 >= this.current) this.moveTo(this.current * gradient + room);
    } else return;
    this.samples = 0;
    this.slownessSum = 0;
    this.mostRunning = 0;
  }

  private moveTo(target: number): void {
    const { minLimit, maxLimit } = this.settings;
    const smooth = this.current * (1 - smoothing) + target * smoothing;
    this.current = Math.max(minLimit, Math.min(maxLimit, smooth));
  }
}
