// The contract between a channel and what turns its target into endpoints.
import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../time/clock.ts";
import type { Address } from "../../transport/client/client-connection.ts";
import type { ParsedTarget } from "../naming/target.ts";
import type { Backoff } from "../retry/backoff.ts";

/** One server. A server that can be reached at several addresses is still one for the balancer (gRFC A61). */
export interface Endpoint {
  /** At least one; in the order in which to try them. One with an `authority` is verified and called by that name. */
  readonly addresses: readonly Address[];
  /** What balancers and filters know it by: weight, zone, registry metadata. The code that writes a key defines its meaning. */
  readonly attributes?: ReadonlyMap<string, unknown>;
}

export interface ResolverResult {
  /** In the resolver's order of preference. Empty means that the name exists and does not have servers. */
  readonly endpoints: readonly Endpoint[];
  /** The service config as JSON text (gRFC A2), if the name system holds one. */
  readonly serviceConfigJson?: string;
  /** The name system holds a service config that could not be had or read: as one that turns out to be wrong (gRFC A21). */
  readonly serviceConfigError?: ConnectError;
}

/**
 * Where a resolver reports to. Both methods may be called at any time from the start of `create` until `close`, also from
 * within `create` and `resolveNow`; after `close` they do nothing.
 */
export interface ResolverListener {
  /**
   * Replaces everything reported before. False says that the channel cannot use the result (no endpoint, for instance): a
   * resolver that polls resolves again after a pause, one that watches waits for changes. The channel does not call it again by itself.
   */
  onResult(result: ResolverResult): boolean;
  /**
   * Resolution failed. A channel that has endpoints keeps them; otherwise its calls fail with this error unless they
   * wait for ready. The resolver tries again by itself, after a pause.
   */
  onError(error: ConnectError): void;
}

/** One resolution of one target. Made when the channel leaves idle mode, closed when it enters it. */
export interface Resolver {
  /**
   * A hint that the endpoints may be out of date: a connection was lost, or all attempts failed. It may come very often, so
   * the resolver limits how often it queries its name system. It must not throw.
   */
  resolveNow(): void;
  /** Ends everything at once: timers, watches, lookups under way. Called exactly once. It must not throw. */
  close(): void;
}

export interface ResolverEnvironment {
  readonly clock: Clock;
  /** The pause before a failed resolution is repeated. */
  readonly backoff: Backoff;
}

/** Makes resolvers for one scheme. Holds no state of a channel. */
export interface ResolverFactory {
  /** Lower case, as in the target before the colon. */
  readonly scheme: string;
  /** Starts to resolve at once. What it throws is reported like a failed resolution, once, without another attempt. */
  create(target: ParsedTarget, listener: ResolverListener, environment: ResolverEnvironment): Resolver;
}
