import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { addressKey, type RateLimitOptions, type RateLimitStore } from "@tercel/interceptors/rate-limit";
import { callerKey } from "@tercel/interceptors/service-key";
import type { Settings } from "../config/settings.ts";

/**
 * Counts the calls that come from one address, unless any number is fine. Wide, because all who share an address share it.
 *
 * @param store Where calls are counted; in memory without one.
 */
export function addressLimit(settings: Settings, store?: RateLimitStore): RateLimitOptions | false {
  if (settings.addressRateLimit === 0) return false;
  const limit = { requests: settings.addressRateLimit, per: "minute" } as const;
  return { limit, keyOf: addressOfStranger, ...(store && { store }) };
}

/** A program that has shown its key calls for many, and there is nothing left to find out about it. */
function addressOfStranger(request: UnaryRequest | StreamRequest): string | undefined {
  return request.contextValues.get(callerKey) === undefined ? addressKey(request) : undefined;
}
