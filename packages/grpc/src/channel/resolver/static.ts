import type { ParsedTarget } from "../naming/target.ts";
import type { Resolver, ResolverFactory, ResolverListener } from "./index.ts";

/** Resolvers for targets that name their addresses themselves: `ipv4:`, `ipv6:` and `static:`, each address an endpoint. */
export const staticResolvers: readonly ResolverFactory[] = ["ipv4", "ipv6", "static"].map((scheme) => ({
  scheme,
  create: reportAddresses,
}));

/** Reports the target's own addresses, once: they cannot change. */
export function reportAddresses(target: ParsedTarget, listener: ResolverListener): Resolver {
  listener.onResult({ endpoints: target.addresses.map((address) => ({ addresses: [address] })) });
  return { resolveNow() {}, close() {} };
}
