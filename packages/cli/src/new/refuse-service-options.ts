import { usageFailure } from "../frame/failure.ts";
import type { NewOptions } from "./new-options.ts";
import { concerns } from "./plan/service-plan.ts";

/**
 * Rejects options that apply only to services, such as those for a database or a port.
 *
 * @param what clause for the message: what is created instead of a service
 * @throws CommandFailure that names the first of them
 */
export function refuseServiceOptions(options: NewOptions, what: string): void {
  const given = new Map<string, unknown>([
    ...concerns.map((concern) => [`--with-${concern}`, options[optionOf(concern)]] as const),
    [options.gateway === false ? "--no-gateway" : "--gateway", options.gateway],
    ["--port", options.port],
  ]);
  const first = [...given].find(([, value]) => value !== undefined)?.[0];
  if (first !== undefined)
    throw usageFailure(`${first} applies only to services, and ${what}`, "tercel new NAME creates a service");
}

/** Returns the attribute of an option: `withDatabase` for `--with-database`. */
export function optionOf(concern: (typeof concerns)[number]): keyof NewOptions {
  return `with${concern.charAt(0).toUpperCase()}${concern.slice(1)}` as keyof NewOptions;
}
