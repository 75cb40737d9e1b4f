import type { BalancerFactory } from "../balancer/index.ts";
import type { HedgingPolicy, RetryPolicy } from "../retry/retry-policy.ts";
import type { RetryThrottling } from "../retry/retry-throttle.ts";

/** A service config, parsed and checked: how a service's owner wants clients to call it (gRFC A2, grpc.service_config.ServiceConfig). */
export interface ServiceConfig {
  /** The first policy of `loadBalancingConfig` that this channel knows, with its config as that policy has read it. */
  readonly balancer: { readonly factory: BalancerFactory; readonly config: unknown } | undefined;
  readonly methods: MethodConfigs;
  readonly retryThrottling: RetryThrottling | undefined;
  /** The service whose health decides whether an endpoint gets calls (gRFC A17); "" is the server as a whole. */
  readonly healthCheckServiceName: string | undefined;
  /** How many connections to one address there may be when calls find no place on fewer (gRFC A105). */
  readonly maxConnectionsPerSubchannel: number | undefined;
}

/** What holds for the calls of one or more methods. An absent field leaves the channel's own setting in force. */
export interface MethodConfig {
  readonly timeoutMs?: number;
  readonly waitForReady?: boolean;
  readonly maxRequestMessageBytes?: number;
  readonly maxResponseMessageBytes?: number;
  readonly retryPolicy?: RetryPolicy;
  readonly hedgingPolicy?: HedgingPolicy;
}

const noMethodConfig: MethodConfig = {};

/** The configs of methods by name; the most specific one counts, and only that one. */
export class MethodConfigs {
  /** By `service/method`, `service/` for a whole service, and `/` for all there are. */
  private readonly byName: ReadonlyMap<string, MethodConfig>;

  constructor(byName: ReadonlyMap<string, MethodConfig>) {
    this.byName = byName;
  }

  of(service: string, method: string): MethodConfig {
    const { byName } = this;
    if (byName.size === 0) return noMethodConfig;
    return byName.get(`${service}/${method}`) ?? byName.get(`${service}/`) ?? byName.get("/") ?? noMethodConfig;
  }
}

/** The config of a service whose owner asks for nothing. */
export const emptyServiceConfig: ServiceConfig = {
  balancer: undefined,
  methods: new MethodConfigs(new Map()),
  retryThrottling: undefined,
  healthCheckServiceName: undefined,
  maxConnectionsPerSubchannel: undefined,
};
