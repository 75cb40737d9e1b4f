// What a resolver of an application is made of.

export type { ParsedTarget } from "./channel/naming/target.ts";
export { createDnsResolver, type DnsResolverOptions } from "./channel/resolver/dns.ts";
export type {
  Endpoint,
  Resolver,
  ResolverEnvironment,
  ResolverFactory,
  ResolverListener,
  ResolverResult,
} from "./channel/resolver/index.ts";
export type { Backoff, BackoffOptions } from "./channel/retry/backoff.ts";
export type { MethodConfigJson } from "./channel/service-config/service-config-json.ts";
export type { Address } from "./transport/client/client-connection.ts";
