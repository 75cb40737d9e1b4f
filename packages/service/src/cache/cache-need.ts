import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Need } from "../provider.ts";
import type { Cache, CacheOptions } from "./cache.ts";
import type { CachePort } from "./cache-port.ts";

export interface CacheNeedOptions extends CacheOptions {
  /** Name of the entry in the configuration. Default: the default entry. */
  readonly provider?: string;
}

/** Declares a need for a cache of messages of one type. Its options are validated when the service starts. */
export function cache<Desc extends DescMessage>(
  schema: Desc,
  { provider, ...options }: CacheNeedOptions = {},
): Need<Cache<MessageShape<Desc>>, CachePort> {
  return {
    concern: "cache",
    ...(provider !== undefined && { provider }),
    async prepare({ store }, { log, metrics }) {
      const { countCacheLookups } = await import("@tercel/interceptors/metrics");
      const { createCache } = await import("./cache.ts");
      return { port: createCache(schema, options, { store, log, observer: countCacheLookups(metrics) }) };
    },
  };
}
