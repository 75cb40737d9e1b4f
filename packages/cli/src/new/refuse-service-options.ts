import { usageFailure } from "../frame/failure.ts";
import type { NewOptions } from "./new-options.ts";
import { concerns } from "./plan/service-plan.ts";

/**
 * Refuses options that only a service has: it has a database and a port.
 *
 * @param what is made instead of a service
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
    throw usageFailure(`${first} is for a service, and ${what}`, "tercel new NAME makes a service");
}

/** The attribute of `--with-database`: `withDatabase`. */
export function optionOf(concern: (typeof concerns)[number]): keyof NewOptions {
  return `with${concern.charAt(0).toUpperCase()}${concern.slice(1)}` as keyof NewOptions;
}
