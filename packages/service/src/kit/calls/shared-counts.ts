import type { RateLimitStore } from "@tercel/interceptors/rate-limit";
import type { CachePort } from "../../cache/cache-port.ts";
import type { OpenProvider } from "../providers/open-provider.ts";
import type { ConfiguredProvider, RunConfig } from "../run-config/run-config.ts";

/** Where calls are counted for the limits of a service. */
export interface CountStores {
  readonly perCaller: RateLimitStore;
  readonly perAddress: RateLimitStore;
}

/** The cache in which instances of a service count together: the default one, if it is a Redis and something is limited. */
export function sharedCacheOf({ providers, rateLimit }: RunConfig): ConfiguredProvider | undefined {
  if (rateLimit === undefined) return undefined;
  return providers.find(({ concern, type, isDefault }) => concern === "cache" && type === "redis" && isDefault);
}

/** Stores in the shared cache; undefined where there is none, and then each process counts for itself. */
export async function openCountStores(
  { service }: RunConfig,
  shared: ConfiguredProvider | undefined,
  opened: readonly OpenProvider[],
): Promise<CountStores | undefined> {
  const port = opened.find(({ entry }) => entry === shared)?.opened.port as CachePort | undefined;
  const client = port?.redis?.client;
  if (client === undefined) return undefined;
  const { createRedisStore } = await import("@tercel/interceptors/rate-limit");
  const storeOf = (what: string): RateLimitStore =>
    createRedisStore({ client, keyPrefix: `tercel:rate-limit:${service.name}:${what}` });
  return { perCaller: storeOf("caller"), perAddress: storeOf("address") };
}
