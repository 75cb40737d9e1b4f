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
export { type Backoff, type BackoffOptions, createBackoff } from "./channel/retry/backoff.ts";
export type { Address } from "./transport/client-connection.ts";
