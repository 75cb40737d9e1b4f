import type { Clock } from "@tercel/grpc";

export interface RefreshSettings<T> {
  readonly clock: Clock;
  /** Whether another value should be loaded. `ageMs` is the time since this one was loaded. */
  isStale(value: T, ageMs: number): boolean;
  /** Whether callers wait until a stale value is replaced. Default false: they use it, and it is replaced in the background. */
  readonly waits?: boolean;
  /** Whether a stale value may be used when no other can be loaded. Default: every value may. */
  isUsable?(value: T): boolean;
  /** No loading begins sooner than this after the last one. Default 0. */
  readonly cooldownMs?: number;
  /** Whether the cooldown also applies before there has been a value; the last failure is repeated then. Default false. */
  readonly coolsDownAtFirst?: boolean;
  /** A loading has failed. Default: only the callers that wait for it learn that. */
  onFailure?(error: unknown): void;
}

/**
 * A value that may change outside: a key, a set of keys, a token. It is loaded when it is first used, and again when it is used and stale,
 * so it needs no timer. Callers that wait share one loading. A value outlives failures to replace it.
 */
export class Refreshed<T> {
  readonly #load: () => Promise<T>;
  readonly #settings: RefreshSettings<T>;
  #value: T | undefined;
  #loadedAtMs = 0;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<T> | undefined;
  /** Of the last loading, if it failed. */
  #failure: { readonly error: unknown } | undefined;

  /** `first` saves the first loading. */
  constructor(load: () => Promise<T>, settings: RefreshSettings<T>, first?: T) {
    this.#load = load;
    this.#settings = settings;
    this.#value = first;
    if (first === undefined) return;
    this.#loadedAtMs = settings.clock.nowMs();
    this.#startedAtMs = this.#loadedAtMs;
  }

  /** The value, at once if there is one to use. Rejects with what `load` rejects with while there is none. */
  current(): T | Promise<T> {
    const value = this.#usable();
    if (value === undefined) return this.#first();
    const { clock, isStale, waits } = this.#settings;
    if (!isStale(value, clock.nowMs() - this.#loadedAtMs) || this.#isCoolingDown()) return value;
    const loading = this.#start();
    if (waits === true) return loading;
    // It was reported to `onFailure`.
    loading.catch(() => {});
    return value;
  }

  /** Another value than the current one, unless the cooldown forbids it or none can be loaded. Rejects as `current` does. */
  renewed(): T | Promise<T> {
    const value = this.#usable();
    if (value === undefined) return this.#first();
    return this.#loading === undefined && this.#isCoolingDown() ? value : this.#start();
  }

  /** Stops using a value that was refused, unless it has been replaced since. */
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
