import { AdaptiveLimit, type AdaptiveLimitSettings } from "./adaptive-limit.ts";
import { CallQueue, type CallQueueSettings } from "./call-queue.ts";

export type Rank = "critical" | "normal" | "low";

export interface MethodLoadSettings extends AdaptiveLimitSettings, CallQueueSettings {
  readonly windowMs: number;
}

/** The minimum number of completed calls for a meaningful rate. */
const minAnswers = 10;
/** The maximum number of windows to wait for that many calls. */
const maxWindows = 20;

/** The running and waiting calls of one method, and its limit. */
export class MethodLoad {
  readonly method: string;
  readonly rank: Rank;
  readonly queue: CallQueue;
  running = 0;
  /** The current value of the adaptive limit, copied here because each call reads it. */
  limit: number;
  readonly #settings: MethodLoadSettings;
  readonly #adaptive: AdaptiveLimit;
  #windowSinceMs: number;
  #windowUntilMs: number;
  #answered = 0;
  #late = 0;
  #sumMs = 0;
  #hasWaited = false;
  /** Whether more calls run than the limit allows, because it was lowered. */
  #isDraining = false;

  constructor(method: string, rank: Rank, settings: MethodLoadSettings, nowMs: number) {
    this.method = method;
    this.rank = rank;
    this.queue = new CallQueue(settings);
    this.#settings = settings;
    this.#adaptive = new AdaptiveLimit(settings);
    this.limit = this.#adaptive.limit;
    this.#windowSinceMs = nowMs;
    this.#windowUntilMs = nowMs + settings.windowMs;
  }

  /** Reports that a call must wait because the limit is reached. */
  waited(nowMs: number): void {
    if (this.#hasWaited) return;
    this.endWindow(nowMs);
    this.#hasWaited = true;
    // Before this, the limit had no effect, so the time before does not count.
    this.#begin(nowMs);
  }

  answered(durationMs: number): void {
    this.#answered++;
    this.#sumMs += durationMs;
  }

  missedDeadline(): void {
    this.#late++;
  }

  /** Evaluates a window that has ended, and starts the next. */
  endWindow(nowMs: number): void {
    if (this.#isDraining && this.running <= this.limit) {
      // Until now, as many calls ran as before the limit was lowered.
      this.#isDraining = false;
      const elapsedMs = nowMs - this.#windowSinceMs;
      if (elapsedMs >= this.#settings.windowMs) this.#adaptive.drained(this.#answered / elapsedMs);
      this.#begin(nowMs);
      return;
    }
    if (nowMs < this.#windowUntilMs || this.#isDraining) return;
    const elapsedMs = nowMs - this.#windowSinceMs;
    this.queue.reconsider(this.#answered / elapsedMs, nowMs);
    if (!this.#hasWaited) {
      this.#adaptive.relax(Math.floor(elapsedMs / this.#settings.windowMs));
    } else if (this.#isConclusive(elapsedMs)) {
      this.#adaptive.endWindow(elapsedMs, this.#answered, this.#late);
    } else {
      this.#windowUntilMs = nowMs + this.#settings.windowMs;
      return;
    }
    this.limit = this.#adaptive.limit;
    this.#isDraining = this.running > this.limit;
    this.#hasWaited = this.queue.length > 0;
    this.#begin(nowMs);
  }

  /** A window must be long enough that calls which started in it have ended in it, because the first calls started with the previous limit. */
  #isConclusive(elapsedMs: number): boolean {
    if (!this.#adaptive.isTrying) return true;
    if (elapsedMs >= maxWindows * this.#settings.windowMs) return true;
    return this.#answered >= minAnswers && elapsedMs >= this.#sumMs / this.#answered;
  }

  #begin(nowMs: number): void {
    this.#windowSinceMs = nowMs;
    this.#windowUntilMs = nowMs + this.#settings.windowMs;
    this.#answered = 0;
    this.#late = 0;
    this.#sumMs = 0;
  }
}
