import type { RateLimitStore } from "@tercel/interceptors/rate-limit";
import type { CachePort } from "../../cache/cache-port.ts";
import type { OpenProvider } from "../providers/open-provider.ts";
import type { ConfiguredProvider, RunConfig } from "../run-config/run-config.ts";

/** Stores of a service's rate limits. */
export interface CountStores {
  readonly perCaller: RateLimitStore;
  readonly perAddress: RateLimitStore;
}

/** Returns the cache that all instances share for rate limits: the default one, if it is a Redis and limits are configured. */
export function sharedCacheOf({ providers, rateLimit }: RunConfig): ConfiguredProvider | undefined {
  if (rateLimit === undefined) return undefined;
  return providers.find(({ concern, type, isDefault }) => concern === "cache" && type === "redis" && isDefault);
}

/** Opens stores in the shared cache; undefined without one, and then each process counts separately. */
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
