import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import type { OnLimit, OnUnhandledCall } from "@tercel/grpc/hooks";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import type { AuthOptions } from "../auth/index.ts";
import type { ConcurrencyLimit, ConcurrencyLimitOptions } from "../concurrency-limit/index.ts";
import type { ServerDeadlineOptions } from "../deadline/index.ts";
import type { IdempotencyOptions } from "../idempotency/index.ts";
import type { LoadShedding, LoadSheddingOptions } from "../load-shedding/index.ts";
import type { LoggingOptions } from "../logging/index.ts";
import type { MetricsOptions } from "../metrics/index.ts";
import type { MtlsOptions } from "../mtls/index.ts";
import type { OtelMetricsOptions } from "../otel-metrics/index.ts";
import type { RateLimitOptions } from "../rate-limit/index.ts";
import type { RecoveryOptions } from "../recovery/index.ts";
import type { ServerRequestIdOptions } from "../request-id/index.ts";
import type { ServiceKeyGuardOptions } from "../service-key/index.ts";
import type { ServerTracingOptions } from "../tracing/index.ts";
import type { ValidationOptions } from "../validation/index.ts";
import { type BuildFeature, type BuildPlan, buildFeatures } from "./build-features.ts";
import { checkSlots, composeStack, type StackSlots, slotNames } from "./compose-stack.ts";
import { loadValidation } from "./load-validation.ts";

/** The configuration of the features of a server's stack: each has its options, true for its defaults, or false. */
export interface ServerFeatures {
  /** On by default. */
  requestId?: ServerRequestIdOptions | boolean;
  /** On by default. Without an OpenTelemetry SDK, it only propagates traces. */
  tracing?: ServerTracingOptions | boolean;
  /** Counts calls, including those that reach no interceptor, and the limits that clients exceed. */
  metrics?: MetricsOptions | false;
  otelMetrics?: OtelMetricsOptions | boolean;
  logging?: LoggingOptions | boolean;
  /** On by default. */
  recovery?: RecoveryOptions | boolean;
  /** On by default. Without options it sets no limit, and gives handlers the time that is left. */
  deadline?: ServerDeadlineOptions | boolean;
  loadShedding?: LoadSheddingOptions | boolean;
  mtls?: MtlsOptions | boolean;
  serviceKey?: ServiceKeyGuardOptions | false;
  /** A rate limit by address, before the expensive verification of tokens. Default `keyOf`: `addressKey`. */
  addressLimit?: RateLimitOptions | false;
  auth?: (Omit<AuthOptions, "services"> & Partial<Pick<AuthOptions, "services">>) | false;
  /** A rate limit by the caller that `mtls`, `serviceKey` or `auth` has identified. */
  rateLimit?: RateLimitOptions | false;
  validation?: ValidationOptions | boolean;
  concurrencyLimit?: ConcurrencyLimitOptions | false;
  idempotency?: IdempotencyOptions | false;
}

export type ServerFeature = keyof ServerFeatures;

/** The order of a server's stack, outermost first. The package's README explains it. */
export const serverOrder = [
  "requestId",
  "tracing",
  "metrics",
  "otelMetrics",
  "logging",
  "recovery",
  "deadline",
  "loadShedding",
  "mtls",
  "serviceKey",
  "addressLimit",
  "auth",
  "rateLimit",
  "validation",
  "concurrencyLimit",
  "idempotency",
] as const satisfies readonly ServerFeature[];

export interface ServerStackOptions extends ServerFeatures, StackSlots<ServerFeature> {
  /** The services of the server, for every feature that checks their methods and has no own `services`. Default: none. */
  services?: readonly DescService[];
  /**
   * The log of every feature without its own `log`, including the log of calls. Default: warnings and errors as JSON lines on standard
   * error, and calls on standard output.
   */
  log?: Log;
  /** For tests: the clock of every feature without its own `clock`. */
  clock?: Clock;
}

/** The objects that some features provide in addition to their interceptor. */
interface ServerExtras {
  readonly loadShedding?: LoadShedding;
  readonly concurrencyLimit?: ConcurrencyLimit;
  readonly onUnhandledCall?: OnUnhandledCall;
  readonly onLimit?: OnLimit;
}

export interface ServerStack {
  /** For `createServer({ routes, ...stack.serverOptions })`: the interceptors, and the callbacks with which metrics count everything else. */
  readonly serverOptions: {
    readonly interceptors: readonly Interceptor[];
    readonly onUnhandledCall?: OnUnhandledCall;
    readonly onLimit?: OnLimit;
  };
  /** The interceptors, outermost first. */
  readonly interceptors: readonly Interceptor[];
  /** The features that are on, outermost first. */
  readonly features: readonly ServerFeature[];
  /** Undefined if `loadShedding` is off. */
  readonly loadShedding: LoadShedding | undefined;
  /** Undefined if `concurrencyLimit` is off. */
  readonly concurrencyLimit: ConcurrencyLimit | undefined;
  /** Stops the timers of features. Call it after the server has closed. */
  close(): void;
}

interface Shared {
  readonly services?: readonly DescService[];
  readonly log?: Log;
  readonly clock?: Clock;
}

type Build<F extends ServerFeature> = BuildFeature<
  Exclude<NonNullable<ServerFeatures[F]>, boolean>,
  Shared,
  ServerExtras
>;

const builders: { readonly [F in ServerFeature]: Build<F> } = {
  async requestId(options) {
    const { createServerRequestId } = await import("../request-id/index.ts");
    return { interceptor: createServerRequestId(options) };
  },
  async tracing(options) {
    const { createServerTracing } = await import("../tracing/index.ts");
    return { interceptor: createServerTracing(options) };
  },
  async metrics(options) {
    const { countLimits, createServerMetrics } = await import("../metrics/index.ts");
    const interceptor = createServerMetrics(options);
    const extras = { onUnhandledCall: interceptor.countUnhandled, onLimit: countLimits(options.registry) };
    return { interceptor, extras };
  },
  async otelMetrics(options) {
    const { createServerOtelMetrics } = await import("../otel-metrics/index.ts");
    return { interceptor: createServerOtelMetrics(options) };
  },
  async logging(options, { log }) {
    const { createServerLogging } = await import("../logging/index.ts");
    return { interceptor: createServerLogging({ ...(log && { log }), ...options }) };
  },
  async recovery(options, { log }) {
    const { createRecovery } = await import("../recovery/index.ts");
    return { interceptor: createRecovery({ ...(log && { log }), ...options }) };
  },
  async deadline(options) {
    const { createServerDeadline } = await import("../deadline/index.ts");
    return { interceptor: createServerDeadline(options) };
  },
  async loadShedding(options, { services, clock }) {
    const { createLoadShedding } = await import("../load-shedding/index.ts");
    const loadShedding = createLoadShedding({
      ...(services && { services }),
      ...(clock && { clock }),
      ...options,
    });
    return { interceptor: loadShedding, extras: { loadShedding }, close: () => loadShedding.close() };
  },
  async mtls(options, shared) {
    const { createMtls } = await import("../mtls/index.ts");
    return { interceptor: createMtls({ ...callerRules(options, shared), ...options }) };
  },
  async serviceKey(options, shared) {
    const { createServiceKeyGuard } = await import("../service-key/index.ts");
    const { clock } = shared;
    return {
      interceptor: createServiceKeyGuard({ ...callerRules(options, shared), ...(clock && { clock }), ...options }),
    };
  },
  async addressLimit(options, shared) {
    const { addressKey, createRateLimit } = await import("../rate-limit/index.ts");
    return { interceptor: createRateLimit({ keyOf: addressKey, ...shared, ...options }) };
  },
  async auth(options, { services = [], ...shared }) {
    const [{ createAuth }, { loadJose }] = await Promise.all([
      import("../auth/index.ts"),
      import("../auth/load-jose.ts"),
    ]);
    await loadJose();
    return { interceptor: createAuth({ services, ...shared, ...options }) };
  },
  async rateLimit(options, shared) {
    const { createRateLimit } = await import("../rate-limit/index.ts");
    return { interceptor: createRateLimit({ ...shared, ...options }) };
  },
  async validation(options, { services, log }) {
    const { createValidation } = await loadValidation();
    return { interceptor: createValidation({ ...(services && { services }), ...(log && { log }), ...options }) };
  },
  async concurrencyLimit(options, { clock }) {
    const { createConcurrencyLimit } = await import("../concurrency-limit/index.ts");
    const concurrencyLimit = createConcurrencyLimit({ ...(clock && { clock }), ...options });
    return { interceptor: concurrencyLimit, extras: { concurrencyLimit } };
  },
  async idempotency(options, shared) {
    const { createIdempotency } = await import("../idempotency/index.ts");
    return { interceptor: createIdempotency({ ...shared, ...options }) };
  },
};

/** A guard that only identifies callers has no rules to check, so it gets no services. */
function callerRules(options: { readonly identifyOnly?: boolean }, { services, log }: Shared): Shared {
  return {
    ...(services !== undefined && options.identifyOnly !== true && { services }),
    ...(log !== undefined && { log }),
  };
}

const plan: BuildPlan<ServerFeature, Shared, ServerExtras> = {
  where: "createServerStack",
  order: serverOrder,
  onByDefault: ["requestId", "tracing", "recovery", "deadline"],
  features: builders,
};

/**
 * Composes the features of a server in the order that the package's README documents. Request ids, tracing, recovery and deadlines are on by
 * default; the other features are on when they are configured. Features that are off are not imported.
 *
 * Rejects with a TypeError for an unknown feature, slot or option, which names the nearest known one, and with the error of a feature whose
 * options are invalid.
 */
export async function createServerStack(options: ServerStackOptions = {}): Promise<ServerStack> {
  const { where, order } = plan;
  refuseUnknownOptions(where, options, [...order, ...slotNames, "services", "log", "clock"]);
  checkSlots(where, order, options);
  const { services, log, clock } = options;
  const shared = { ...(services && { services }), ...(log && { log }), ...(clock && { clock }) };
  const built = await buildFeatures(plan, options, options, shared);
  const interceptors = composeStack(order, options, built.interceptors);
  const { loadShedding, concurrencyLimit, ...hooks } = built.extras;
  return {
    serverOptions: { interceptors, ...hooks },
    interceptors,
    features: [...built.interceptors.keys()],
    loadShedding,
    concurrencyLimit,
    close: built.close,
  };
}
