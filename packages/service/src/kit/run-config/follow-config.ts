import type { Log } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import type { ConfigChange, ConfigUpdate, ConfigWatch, ServiceConfig } from "../../config/index.ts";
import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import type { Needs } from "../definition/definition.ts";
import { hasTerminal, type LoadedDefinition } from "../definition/load-definition.ts";
import type { ServiceHealth } from "../dependencies/service-health.ts";
import type { OpenProvider } from "../providers/open-provider.ts";
import type { Surroundings } from "../run/surroundings.ts";
import type { FollowedConfig } from "./reloaded-config.ts";
import type { RunConfig } from "./run-config.ts";
import { runConfigOf } from "./run-config-of.ts";

/** Targets of a reload, apart from readers of the live configuration. */
export interface ReloadTargets {
  readonly health: ServiceHealth;
  readonly providers: readonly OpenProvider[];
  /** Undefined without tracing. */
  readonly tracing: { setSampleRate(sampleRate: number): void } | undefined;
}

/**
 * Watches the files of the configuration while the service runs: live keys take effect at once, an invalid configuration is ignored. Does nothing without
 * files.
 */
export async function followConfig<N extends Needs, Settings>(
  life: Lifecycle,
  { loaded, follow }: LoadedDefinition<N, Settings>,
  followed: FollowedConfig<Settings>,
  targets: ReloadTargets,
  { log, clock, metrics, setLogLevel, watch }: Surroundings,
): Promise<void> {
  if (loaded.files.length === 0) return;
  const watching = await life.start(
    "configuration files",
    () => follow({ log, clock, ...watch }),
    (one) => one.close(),
  );
  const hadRateLimit = followed.current.rateLimit !== undefined;
  await life.start(
    "reload metrics",
    () => countReloads(metrics, watching),
    (end) => end(),
  );

  async function take({ config: reloaded, changes }: ConfigUpdate<ServiceConfig<Settings>>): Promise<void> {
    const next = runConfigOf(reloaded, hasTerminal());
    targets.health.applyChange(() => {
      followed.current = next;
    });
    setLogLevel?.(next.log.level);
    if (next.tracing !== undefined) targets.tracing?.setSampleRate(next.tracing.sampleRate);
    if (!hadRateLimit && next.rateLimit !== undefined) {
      log.warn("rate_limit needs a restart, because the service started without it");
    }
    reloadProviders(targets.providers, next, changes, log);
    await followed.notify({ config: reloaded.value, settings: reloaded.value.app, changes }, log);
  }

  watching.onChange(take);
}

/** Passes a provider its entry when a live key changed. */
function reloadProviders(
  providers: readonly OpenProvider[],
  next: RunConfig,
  changes: readonly ConfigChange[],
  log: Log,
): void {
  for (const { entry, opened } of providers) {
    const prefix = `${entry.concern}.providers.${entry.name}.`;
    const keys = changes.filter(({ path, isLive }) => isLive && path.startsWith(prefix)).map(({ path }) => path);
    const changed = next.providers.find(({ concern, name }) => concern === entry.concern && name === entry.name);
    if (keys.length === 0 || changed === undefined) continue;
    if (opened.reload?.(changed.config) === "taken") continue;
    log.warn(`changed keys need a restart: ${keys.join(", ")}`, { provider: opened.describe });
  }
}

function countReloads(metrics: Registry, { counts }: Pick<ConfigWatch<unknown>, "counts">): () => void {
  const family = metrics.counter("tercel_config_reloads_total", {
    help: "Configuration reloads: taken, or refused because they were invalid.",
    labels: ["outcome"],
  });
  const [taken, refused] = [family.with("taken"), family.with("refused")];
  return metrics.beforeCollect(() => {
    taken.value = counts.taken;
    refused.value = counts.refused;
  });
}
