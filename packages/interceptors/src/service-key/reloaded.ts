import type { Clock } from "@tercel/grpc";

export interface ReloadSettings {
  /** What is older is loaded again, without anybody waiting for it. */
  readonly maxAgeMs: number;
  /** Between two loadings that somebody asks for. */
  readonly cooldownMs: number;
  readonly clock: Clock;
  /** The last value goes on to count. */
  onFailure(error: unknown): void;
}

/** Something that may change outside, and is looked at again from time to time: when it is used, so that no timer is needed. */
export class Reloaded<T> {
  private readonly load: () => Promise<T>;
  private readonly settings: ReloadSettings;
  private value: T | undefined;
  private askedAtMs: number;
  private loading: Promise<T> | undefined = undefined;

  /** `first` saves the first loading. */
  constructor(load: () => Promise<T>, settings: ReloadSettings, first?: T) {
    this.load = load;
    this.settings = settings;
    this.value = first;
    this.askedAtMs = first === undefined ? Number.NEGATIVE_INFINITY : settings.clock.nowMs();
  }

  /** At once if there is a value. Rejects with what `load` did while there has never been one. */
  current(): T | Promise<T> {
    if (this.value === undefined) return this.start();
    if (this.settings.clock.nowMs() - this.askedAtMs >= this.settings.maxAgeMs) this.start().catch(() => {});
    return this.value;
  }

  /** A fresh value, unless one was asked for a moment ago. Rejects as `current` does. */
  renewed(): T | Promise<T> {
    const isTooSoon = this.settings.clock.nowMs() - this.askedAtMs < this.settings.cooldownMs;
    return isTooSoon && this.value !== undefined && this.loading === undefined ? this.value : this.start();
  }

  private start(): Promise<T> {
    if (this.loading === undefined) {
      this.askedAtMs = this.settings.clock.nowMs();
      this.loading = this.load().then(
        (value) => {
          this.loading = undefined;
          this.value = value;
          return value;
        },
        (error) => {
          this.loading = undefined;
          this.settings.onFailure(error);
          if (this.value === undefined) throw error;
          return this.value;
        },
      );
    }
    return this.loading;
  }
}
