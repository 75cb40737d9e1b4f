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

/** The features of a server's stack, by their configuration. Each has its options, true for its defaults, or false. */
export interface ServerFeatures {
  /** On by default. */
  requestId?: ServerRequestIdOptions | boolean;
  /** On by default; without an OpenTelemetry SDK it only hands traces on. */
  tracing?: ServerTracingOptions | boolean;
  /** Counts calls, those that no interceptor sees, and limits that clients exceed. */
  metrics?: MetricsOptions | false;
  otelMetrics?: OtelMetricsOptions | boolean;
  logging?: LoggingOptions | boolean;
  /** On by default. */
  recovery?: RecoveryOptions | boolean;
  /** On by default; without options it limits nothing, and lets handlers know what time is left. */
  deadline?: ServerDeadlineOptions | boolean;
  loadShedding?: LoadSheddingOptions | boolean;
  mtls?: MtlsOptions | boolean;
  serviceKey?: ServiceKeyGuardOptions | false;
  /** Counts calls by address before tokens are verified, which costs. Default `keyOf`: `addressKey`. */
  addressLimit?: RateLimitOptions | false;
  auth?: (Omit<AuthOptions, "services"> & Partial<Pick<AuthOptions, "services">>) | false;
  /** Counts the calls of each caller that the features before it have found out. */
  rateLimit?: RateLimitOptions | false;
  validation?: ValidationOptions | boolean;
  concurrencyLimit?: ConcurrencyLimitOptions | false;
  idempotency?: IdempotencyOptions | false;
}

export type ServerFeature = keyof ServerFeatures;

/** The order of a server's stack, the outermost first. The package's README says why. */
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
  /** The services that are served: given to every feature that checks their methods and leaves out its own `services`. Default: none. */
  services?: readonly DescService[];
  /**
   * For every feature that leaves out its own `log`, the lines of calls included. Default: warnings and errors as JSON lines on standard
   * error, and calls on standard output.
   */
  log?: Log;
  /** For tests: for every feature that leaves out its own `clock`. */
  clock?: Clock;
}

/** What some features have besides their interceptor. */
interface ServerExtras {
  readonly loadShedding?: LoadShedding;
  readonly concurrencyLimit?: ConcurrencyLimit;
  readonly onUnhandledCall?: OnUnhandledCall;
  readonly onLimit?: OnLimit;
}

export interface ServerStack {
  /** For `createServer({ routes, ...stack.serverOptions })`: the interceptors, and what metrics count besides. */
  readonly serverOptions: {
    readonly interceptors: readonly Interceptor[];
    readonly onUnhandledCall?: OnUnhandledCall;
    readonly onLimit?: OnLimit;
  };
  /** The outermost first. */
  readonly interceptors: readonly Interceptor[];
  /** The features that are on, the outermost first. */
  readonly features: readonly ServerFeature[];
  /** Where `loadShedding` is on. */
  readonly loadShedding: LoadShedding | undefined;
  /** Where `concurrencyLimit` is on. */
  readonly concurrencyLimit: ConcurrencyLimit | undefined;
  /** Ends what features keep running. Call it after the server has closed. */
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

/** A guard that only finds out who calls applies no rules, so it takes no services. */
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
 * default; the others are when they are configured. Features that are off are not imported.
 *
 * Rejects with a TypeError for an unknown feature, slot or option, which names the nearest known one, and with what a feature throws for its
 * options.
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
