import type { Interceptor } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import type { BearerTokenOptions } from "../auth/index.ts";
import type { ClientCache, ClientCacheOptions } from "../cache/index.ts";
import type { CircuitBreaker, CircuitBreakerOptions } from "../circuit-breaker/index.ts";
import type { ConcurrencyLimit, ConcurrencyLimitOptions } from "../concurrency-limit/index.ts";
import type { ClientDeadlineOptions } from "../deadline/index.ts";
import type { IdempotencyKeysOptions } from "../idempotency/index.ts";
import type { LoggingOptions } from "../logging/index.ts";
import type { MetricsOptions } from "../metrics/index.ts";
import type { ClientOtelMetricsOptions } from "../otel-metrics/index.ts";
import type { ClientRequestIdOptions } from "../request-id/index.ts";
import type { ServiceKeyOptions } from "../service-key/index.ts";
import type { ClientTracingOptions } from "../tracing/index.ts";
import type { ValidationOptions } from "../validation/index.ts";
import { type BuildFeature, type BuildPlan, buildFeatures } from "./build-features.ts";
import { checkSlots, composeStack, type StackSlots, slotNames } from "./compose-stack.ts";
import { loadValidation } from "./load-validation.ts";

/** The configuration of the features of a client's stack: each has its options, true for its defaults, or false. */
export interface ClientFeatures {
  /** On by default. */
  requestId?: ClientRequestIdOptions | boolean;
  /** On by default. Without an OpenTelemetry SDK, it only propagates traces. */
  tracing?: ClientTracingOptions | boolean;
  metrics?: MetricsOptions | false;
  otelMetrics?: ClientOtelMetricsOptions | boolean;
  logging?: LoggingOptions | boolean;
  /** On by default: calls that a handler makes end with the handler's own call. */
  deadline?: ClientDeadlineOptions | boolean;
  validation?: ValidationOptions | boolean;
  /** Sends a token with each call. It is outside the cache, so that no caller gets a cached response of another. */
  bearerToken?: BearerTokenOptions | false;
  cache?: ClientCacheOptions | boolean;
  circuitBreaker?: CircuitBreakerOptions | boolean;
  concurrencyLimit?: ConcurrencyLimitOptions | false;
  idempotencyKeys?: IdempotencyKeysOptions | boolean;
  /** Sends this workload's key with each call. */
  serviceKey?: ServiceKeyOptions | false;
}

export type ClientFeature = keyof ClientFeatures;

/** The order of a client's stack, outermost first. The package's README explains it. */
export const clientOrder = [
  "requestId",
  "tracing",
  "metrics",
  "otelMetrics",
  "logging",
  "deadline",
  "validation",
  "bearerToken",
  "cache",
  "circuitBreaker",
  "concurrencyLimit",
  "idempotencyKeys",
  "serviceKey",
] as const satisfies readonly ClientFeature[];

export interface ClientStackOptions extends ClientFeatures, StackSlots<ClientFeature> {
  /**
   * The log of every feature without its own `log`, including the log of calls. Default: warnings and errors as JSON lines on standard
   * error, and calls on standard output.
   */
  log?: Log;
  /** For tests: the clock of every feature without its own `clock`. */
  clock?: Clock;
}

/** The objects that some features provide in addition to their interceptor. */
interface ClientExtras {
  readonly cache?: ClientCache;
  readonly circuitBreaker?: CircuitBreaker;
  readonly concurrencyLimit?: ConcurrencyLimit;
}

export interface ClientStack {
  /** The interceptors for a channel, outermost first. Several channels may share them. */
  readonly interceptors: readonly Interceptor[];
  /** The features that are on, outermost first. */
  readonly features: readonly ClientFeature[];
  /** Undefined if `cache` is off. */
  readonly cache: ClientCache | undefined;
  /** Undefined if `circuitBreaker` is off. */
  readonly circuitBreaker: CircuitBreaker | undefined;
  /** Undefined if `concurrencyLimit` is off. */
  readonly concurrencyLimit: ConcurrencyLimit | undefined;
}

interface Shared {
  readonly log?: Log;
  readonly clock?: Clock;
}

type Build<F extends ClientFeature> = BuildFeature<
  Exclude<NonNullable<ClientFeatures[F]>, boolean>,
  Shared,
  ClientExtras
>;

const builders: { readonly [F in ClientFeature]: Build<F> } = {
  async requestId(options) {
    const { createClientRequestId } = await import("../request-id/index.ts");
    return { interceptor: createClientRequestId(options) };
  },
  async tracing(options) {
    const { createClientTracing } = await import("../tracing/index.ts");
    return { interceptor: createClientTracing(options) };
  },
  async metrics(options) {
    const { createClientMetrics } = await import("../metrics/index.ts");
    return { interceptor: createClientMetrics(options) };
  },
  async otelMetrics(options) {
    const { createClientOtelMetrics } = await import("../otel-metrics/index.ts");
    return { interceptor: createClientOtelMetrics(options) };
  },
  async logging(options, { log }) {
    const { createClientLogging } = await import("../logging/index.ts");
    return { interceptor: createClientLogging({ ...(log && { log }), ...options }) };
  },
  async deadline(options) {
    const { createClientDeadline } = await import("../deadline/index.ts");
    return { interceptor: createClientDeadline(options) };
  },
  async validation(options, { log }) {
    const { createValidation } = await loadValidation();
    return { interceptor: createValidation({ ...(log && { log }), ...options }) };
  },
  async bearerToken(options) {
    const { createBearerToken } = await import("../auth/index.ts");
    return { interceptor: createBearerToken(options) };
  },
  async cache(options, { clock }) {
    const { createClientCache } = await import("../cache/index.ts");
    const cache = createClientCache({ ...(clock && { clock }), ...options });
    return { interceptor: cache, extras: { cache } };
  },
  async circuitBreaker(options, shared) {
    const { createCircuitBreaker } = await import("../circuit-breaker/index.ts");
    const circuitBreaker = createCircuitBreaker({ ...shared, ...options });
    return { interceptor: circuitBreaker, extras: { circuitBreaker } };
  },
  async concurrencyLimit(options, { clock }) {
    const { createConcurrencyLimit } = await import("../concurrency-limit/index.ts");
    const concurrencyLimit = createConcurrencyLimit({ ...(clock && { clock }), ...options });
    return { interceptor: concurrencyLimit, extras: { concurrencyLimit } };
  },
  async idempotencyKeys(options) {
    const { createIdempotencyKeys } = await import("../idempotency/index.ts");
    return { interceptor: createIdempotencyKeys(options) };
  },
  async serviceKey(options, shared) {
    const { createServiceKey } = await import("../service-key/index.ts");
    return { interceptor: createServiceKey({ ...shared, ...options }) };
  },
};

const plan: BuildPlan<ClientFeature, Shared, ClientExtras> = {
  where: "createClientStack",
  order: clientOrder,
  onByDefault: ["requestId", "tracing", "deadline"],
  features: builders,
};

/**
 * Composes the features of a client in the order that the package's README documents. Request ids, tracing and deadlines are on by default;
 * the other features are on when they are configured. Features that are off are not imported.
 *
 * Rejects with a TypeError for an unknown feature, slot or option, which names the nearest known one, and with the error of a feature whose
 * options are invalid.
 */
export async function createClientStack(options: ClientStackOptions = {}): Promise<ClientStack> {
  const { where, order } = plan;
  refuseUnknownOptions(where, options, [...order, ...slotNames, "log", "clock"]);
  checkSlots(where, order, options);
  const { log, clock } = options;
  const shared = { ...(log && { log }), ...(clock && { clock }) };
  const built = await buildFeatures(plan, options, options, shared);
  const { cache, circuitBreaker, concurrencyLimit } = built.extras;
  return {
    interceptors: composeStack(order, options, built.interceptors),
    features: [...built.interceptors.keys()],
    cache,
    circuitBreaker,
    concurrencyLimit,
  };
}
