import { Code, ConnectError } from "@connectrpc/connect";
import { isAuthority, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Endpoint, ParsedTarget, Resolver, ResolverFactory, ResolverListener } from "@tercel/grpc/naming";
import { checkServiceName, type ServiceInstance } from "../port/instance.ts";
import type { Registry, ServiceSnapshot, Watch, WatchProblem } from "../port/registry.ts";
import { type InstanceFilter, parseInstanceFilter } from "./instance-filter.ts";

export interface DiscoveryResolverOptions {
  /** The scheme of targets. Default "discovery". */
  readonly scheme?: string;
  /** Selects instances, in addition to the query of the target. Default: all. */
  readonly filter?: InstanceFilter;
}

/**
 * Creates the resolver for targets like `discovery:///name?version=v2`, which follows the service in the registry. Instances that are not
 * serving are left out. While the registry cannot be reached, the last known instances stay in use.
 *
 * With TLS, the certificate of an instance must be valid for the service's name, which calls also carry as `:authority`. If an instance has
 * `authority` in its metadata (`host` or `host:port`), that is verified and sent instead. The channel options `authority` and
 * `tls.servername` override both.
 *
 * Each endpoint has the attributes `instanceId` and `metadata` (a Map of strings) for balancers; if they are known, also `version` and, from
 * the metadata, `zone` and `weight` (a number).
 */
export function createDiscoveryResolver(registry: Registry, options: DiscoveryResolverOptions = {}): ResolverFactory {
  refuseUnknownOptions("createDiscoveryResolver", options, ["scheme", "filter"]);
  return {
    scheme: options.scheme ?? "discovery",
    create(target, listener) {
      checkServiceName("the target", target.endpoint);
      const isWanted = parseInstanceFilter(target.query ?? "");
      const filter: InstanceFilter = (instance) => isWanted(instance) && (options.filter?.(instance) ?? true);
      return new DiscoveryResolution(registry, target, filter, listener);
    },
  };
}

class DiscoveryResolution implements Resolver {
  readonly #registry: Registry;
  readonly #target: ParsedTarget;
  readonly #filter: InstanceFilter;
  readonly #listener: ResolverListener;
  #watch: Watch | undefined;
  #isClosed = false;
  #hasEndpoints = false;

  constructor(registry: Registry, target: ParsedTarget, filter: InstanceFilter, listener: ResolverListener) {
    this.#registry = registry;
    this.#target = target;
    this.#filter = filter;
    this.#listener = listener;
    this.#watch = registry.watch(
      target.endpoint,
      {
        onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
        onProblem: (problem) => this.#onProblem(problem),
      },
      { keepsProcessAlive: false },
    );
    // The first report, from within `watch`, may have made the channel close this resolver.
    if (this.#isClosed) this.#watch.close();
  }

  /** Does nothing, because the registry reports changes by itself. */
  resolveNow(): void {}

  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
  }

  #onSnapshot({ instances, ageMs }: ServiceSnapshot): void {
    if (this.#isClosed) return;
    const endpoints = latestByAddress(instances.filter((one) => one.health !== "not_serving" && this.#filter(one))).map(
      toEndpoint,
    );
    const hadEndpoints = this.#hasEndpoints;
    this.#hasEndpoints = endpoints.length > 0;
    // An empty result only removes the endpoints: the error below explains why, which a balancer could not.
    if (this.#hasEndpoints || hadEndpoints) this.#listener.onResult({ endpoints });
    if (!this.#hasEndpoints && !this.#isClosed) this.#listener.onError(this.#explainNoInstance(instances, ageMs));
  }

  #onProblem({ error, ageMs }: WatchProblem): void {
    if (this.#isClosed) return;
    const known = ageMs === undefined ? "it was never reached" : `last response ${formatAge(ageMs)} ago`;
    const text = `cannot resolve "${this.#target.text}": ${error.rawMessage}; ${known}`;
    this.#listener.onError(new ConnectError(text, Code.Unavailable, undefined, undefined, error));
  }

  #explainNoInstance(instances: readonly ServiceInstance[], ageMs: number): ConnectError {
    const { endpoint, text } = this.#target;
    const where = this.#registry.description;
    const age = ageMs === 0 ? "" : ` (as of ${formatAge(ageMs)} ago)`;
    const matching = instances.filter(this.#filter).length;
    let reason = `no instance of ${endpoint} is registered with ${where}`;
    if (matching > 0) reason = `all ${matching} instances that ${where} has are unhealthy`;
    else if (instances.length > 0) reason = `none of the ${instances.length} instances that ${where} has matches`;
    return new ConnectError(`cannot resolve "${text}": ${reason}${age}`, Code.Unavailable);
  }
}

/**
 * An instance that was killed and restarted is in the registry twice until the lease of the old process expires. Of two instances with the
 * same address, the registry reports the newer one later.
 */
function latestByAddress(instances: readonly ServiceInstance[]): ServiceInstance[] {
  const byAddress = new Map<string, ServiceInstance>();
  for (const instance of instances) byAddress.set(`${instance.address} ${instance.port}`, instance);
  return [...byAddress.values()];
}

function toEndpoint({ id, address, port, version, metadata }: ServiceInstance): Endpoint {
  const attributes = new Map<string, unknown>([
    ["instanceId", id],
    ["metadata", metadata],
  ]);
  if (version !== "") attributes.set("version", version);
  const zone = metadata.get("zone");
  if (zone !== undefined) attributes.set("zone", zone);
  const weight = Number(metadata.get("weight"));
  if (weight > 0 && Number.isFinite(weight)) attributes.set("weight", weight);
  const authority = metadata.get("authority");
  // An invalid authority is ignored, so that the certificate still has to be valid for the service's name.
  const named = isAuthority(authority) ? { authority } : {};
  return { addresses: [{ host: address, port, ...named }], attributes };
}

function formatAge(ageMs: number): string {
  return ageMs < 120_000 ? `${(ageMs / 1000).toFixed(1)} s` : `${Math.round(ageMs / 60_000)} min`;
}
