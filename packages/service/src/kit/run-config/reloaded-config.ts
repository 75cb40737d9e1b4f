import type { Log } from "@tercel/grpc";
import type { ConfigChange, ServiceConfig } from "../../config/index.ts";
import type { LiveConfig, RunConfig } from "./run-config.ts";

/** What a service is told of a configuration that was reloaded. */
export interface ReloadedConfig<Settings> {
  readonly config: ServiceConfig<Settings>;
  /** The key `app`, as the definition's `settings` has checked it. */
  readonly settings: Settings;
  /** Those that are not live hold after a restart. */
  readonly changes: readonly ConfigChange[];
}

export type OnReloaded<Settings> = (reloaded: ReloadedConfig<Settings>) => void | Promise<void>;

/** The configuration of a service that runs, and who wants to know of changes. */
export class FollowedConfig<Settings> implements LiveConfig {
  current: RunConfig;
  readonly #listeners = new Set<OnReloaded<Settings>>();

  constructor(current: RunConfig) {
    this.current = current;
  }

  /** Returns what ends the calls. */
  onReloaded(listener: OnReloaded<Settings>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async notify(reloaded: ReloadedConfig<Settings>, log: Log): Promise<void> {
    for (const listener of [...this.#listeners]) {
      try {
        await listener(reloaded);
      } catch (error) {
        log.error("onConfigChange failed", { error });
      }
    }
  }
}
