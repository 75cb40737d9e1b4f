import type { Log } from "@tercel/grpc";
import type { ConfigChange, ServiceConfig } from "../../config/index.ts";
import type { LiveConfig, RunConfig } from "./run-config.ts";

/** A reloaded configuration. */
export interface ReloadedConfig<Settings> {
  readonly config: ServiceConfig<Settings>;
  /** The key `app`, validated by the definition's `settings`. */
  readonly settings: Settings;
  /** Changed values; those that are not live need a restart. */
  readonly changes: readonly ConfigChange[];
}

export type OnReloaded<Settings> = (reloaded: ReloadedConfig<Settings>) => void | Promise<void>;

/** The configuration of a running service and its change listeners. */
export class FollowedConfig<Settings> implements LiveConfig {
  current: RunConfig;
  readonly #listeners = new Set<OnReloaded<Settings>>();

  constructor(current: RunConfig) {
    this.current = current;
  }

  /** Adds a listener. Returns a function that removes it. */
  onReloaded(listener: OnReloaded<Settings>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async notify(reloaded: ReloadedConfig<Settings>, log: Log): Promise<void> {
    for (const listener of [...this.#listeners]) {
      try {
        await listener(reloaded);
      } catch (error) {
        log.error("onConfigChange listener failed", { error });
      }
    }
  }
}
