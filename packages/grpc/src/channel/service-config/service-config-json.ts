import type { JsonObject } from "@bufbuild/protobuf";

/**
 * A service config as it is written: the JSON form of grpc.service_config.ServiceConfig, the same for every gRPC library.
 * Durations are seconds followed by "s": `"0.25s"`.
 */
export interface ServiceConfigJson {
  /** Load balancing policies in order of preference; the first that is known is used. `[{ round_robin: {} }]` */
  loadBalancingConfig?: readonly { readonly [policy: string]: JsonObject }[];
  /** The older form: the name of one policy. `loadBalancingConfig` wins. */
  loadBalancingPolicy?: string;
  methodConfig?: readonly MethodConfigJson[];
  retryThrottling?: {
    /** 1 to 1000. Retries and hedges stop while half of the tokens or fewer are left. */
    maxTokens: number;
    /** What each success gives back; a failure takes 1. Three decimals count. */
    tokenRatio: number;
  };
  /** Endpoints get calls only while this service reports SERVING there (gRFC A17). */
  healthCheckConfig?: { serviceName?: string };
  /** How many connections to one address there may be when calls find no place on fewer: 1 to 10, default 10 (gRFC A105). */
  connectionScaling?: { maxConnectionsPerSubchannel?: number };
}

export interface MethodConfigJson {
  /** `{ service, method }` for one method, `{ service }` for all of a service, `{}` for all. The most specific wins. */
  name: readonly { readonly service?: string; readonly method?: string }[];
  /** Calls get this deadline or their own, whichever is earlier. */
  timeout?: string;
  /** Calls wait for a connection instead of failing without one; call and channel may override this. */
  waitForReady?: boolean;
  maxRequestMessageBytes?: number;
  maxResponseMessageBytes?: number;
  /** Send again what failed. Not together with `hedgingPolicy`. */
  retryPolicy?: {
    /** The first one included; from 2. More than 5 counts as 5. */
    maxAttempts: number;
    /** Pause before the first retry, varied by a fifth both ways. */
    initialBackoff: string;
    maxBackoff: string;
    backoffMultiplier: number;
    /** Names such as `"UNAVAILABLE"`, or numbers. */
    retryableStatusCodes: readonly (string | number)[];
  };
  /** Send calls without a response again, only for methods that may run more than once. Not together with `retryPolicy`. */
  hedgingPolicy?: {
    /** The first one included; from 2. More than 5 counts as 5. */
    maxAttempts: number;
    /** From one attempt to the next. Default "0s": all at once. */
    hedgingDelay?: string;
    /** Codes with which an attempt may fail without ending the call. */
    nonFatalStatusCodes?: readonly (string | number)[];
  };
}
