import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { addressKey, createRateLimit, type RateLimitStore } from "@tercel/interceptors/rate-limit";
import { callerKey } from "@tercel/interceptors/service-key";
import type { Settings } from "../config/settings.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";

/**
 * Counts the calls that come from one address, unless any number is fine. It belongs before whatever verifies tokens: that costs, and
 * a call whose token is refused never comes to a limit behind it. Wide, because all who share an address share it.
 *
 * @param store Where calls are counted; in memory without one.
 */
export function addressLimit(settings: Settings, log: Log, store?: RateLimitStore): Interceptor[] {
  if (settings.addressRateLimit === 0) return [];
  const limit = { requests: settings.addressRateLimit, per: "minute" } as const;
  const logged = { log: toFrameworkLog(log, "interceptor") };
  return [createRateLimit({ limit, keyOf: addressOfStranger, ...(store && { store }), ...logged })];
}

/** A program that has shown its key calls for many, and there is nothing left to find out about it. */
function addressOfStranger(request: UnaryRequest | StreamRequest): string | undefined {
  return request.contextValues.get(callerKey) === undefined ? addressKey(request) : undefined;
}
