import type { Clock } from "@tercel/grpc";

export interface RefreshSettings<T> {
  readonly clock: Clock;
  /** Whether the value should be replaced. `ageMs` is the time since it was loaded. */
  isStale(value: T, ageMs: number): boolean;
  /** Whether callers wait until a stale value is replaced. Default false: they use it, and it is replaced in the background. */
  readonly waits?: boolean;
  /** Whether a stale value may be used if loading fails. Default: always. */
  isUsable?(value: T): boolean;
  /** The minimum time between the starts of two loads. Default 0. */
  readonly cooldownMs?: number;
  /** Whether the cooldown also applies before the first value; callers then get the last failure. Default false. */
  readonly coolsDownAtFirst?: boolean;
  /** Called when loading fails. Default: only the waiting callers get the error. */
  onFailure?(error: unknown): void;
}

/**
 * A value that changes externally, such as a key, a key set or a token. It is loaded at the first use, and again when it is used while stale, so
 * it needs no timer. Waiting callers share one load. If a load fails, the previous value stays in use.
 */
export class Refreshed<T> {
  readonly #load: () => Promise<T>;
  readonly #settings: RefreshSettings<T>;
  #value: T | undefined;
  #loadedAtMs = 0;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<T> | undefined;
  /** The error of the last load, if it failed. */
  #failure: { readonly error: unknown } | undefined;

  /** @param first an initial value, instead of the first load */
  constructor(load: () => Promise<T>, settings: RefreshSettings<T>, first?: T) {
    this.#load = load;
    this.#settings = settings;
    this.#value = first;
    if (first === undefined) return;
    this.#loadedAtMs = settings.clock.nowMs();
    this.#startedAtMs = this.#loadedAtMs;
  }

  /** Returns the value, at once if there is a usable one. Otherwise loads it, and rejects with the error of `load`. */
  current(): T | Promise<T> {
    const value = this.#usable();
    if (value === undefined) return this.#first();
    const { clock, isStale, waits } = this.#settings;
    if (!isStale(value, clock.nowMs() - this.#loadedAtMs) || this.#isCoolingDown()) return value;
    const loading = this.#start();
    if (waits === true) return loading;
    // `onFailure` has reported the error.
    loading.catch(() => {});
    return value;
  }

  /** Loads the value again, unless the cooldown has not passed. Returns the current value then, or if loading fails. Rejects like `current`. */
  renewed(): T | Promise<T> {
    const value = this.#usable();
    if (value === undefined) return this.#first();
    return this.#loading === undefined && this.#isCoolingDown() ? value : this.#start();
  }

  /** Drops a value that was rejected, unless it has been replaced since. */
  discard(value: T): void {
    if (this.#value === value) this.#value = undefined;
  }

  #first(): Promise<T> {
    const { coolsDownAtFirst } = this.#settings;
    const isRepeated = coolsDownAtFirst === true && this.#loading === undefined && this.#isCoolingDown();
    return isRepeated && this.#failure !== undefined ? Promise.reject(this.#failure.error) : this.#start();
  }

  #usable(): T | undefined {
    const { isUsable } = this.#settings;
    const value = this.#value;
    return value === undefined || isUsable === undefined || isUsable(value) ? value : undefined;
  }

  #isCoolingDown(): boolean {
    const { clock, cooldownMs = 0 } = this.#settings;
    return clock.nowMs() - this.#startedAtMs < cooldownMs;
  }

  #start(): Promise<T> {
    if (this.#loading !== undefined) return this.#loading;
    const { clock, onFailure } = this.#settings;
    this.#startedAtMs = clock.nowMs();
    this.#loading = this.#load().then(
      (value) => {
        this.#loading = undefined;
        this.#failure = undefined;
        this.#value = value;
        this.#loadedAtMs = clock.nowMs();
        return value;
      },
      (error) => {
        this.#loading = undefined;
        this.#failure = { error };
        onFailure?.(error);
        const value = this.#usable();
        if (value === undefined) throw error;
        return value;
      },
    );
    return this.#loading;
  }
}
