import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { reflectionServices } from "@tercel/grpc/services";
import type { AuthOptions, MethodSelector } from "@tercel/interceptors/auth";
import type { IdempotencyOptions } from "@tercel/interceptors/idempotency";
import type { LoopDelay } from "@tercel/interceptors/load-shedding";
import type { Registry } from "@tercel/interceptors/metrics";
import type { Limit } from "@tercel/interceptors/rate-limit";
import {
  type ClientStackOptions,
  createClientStack,
  createServerStack,
  type ServerStack,
  type ServerStackOptions,
} from "@tercel/interceptors/stack";
import type { DependencySection } from "../../config/index.ts";
import type { Definition, OwnInterceptors } from "../definition/definition.ts";
import type { LiveConfig, RunConfig } from "../run-config/run-config.ts";
import { developmentKey } from "../run-config/service-secret.ts";
import { hasAccessRule, refuseMethodsWithoutRule } from "./access-rules.ts";
import { createDatabaseErrors } from "./database-errors.ts";
import { createHttpStatuses } from "./gateway-of.ts";
import type { CountStores } from "./shared-counts.ts";
import { trustedTokens } from "./trusted-tokens.ts";

/** Parts of the interceptor stacks, apart from the configuration. */
export interface StackParts {
  readonly log: Log;
  readonly metrics: Registry;
  readonly clock: Clock;
}

/** Further parts of a server's stack. */
export interface ServerStackParts extends StackParts {
  readonly secret: (purpose: string) => Uint8Array;
  /** Stores of rate limits. Undefined to count per process. */
  readonly counts: CountStores | undefined;
  /** Options of idempotency keys. Undefined if nothing requires them. */
  readonly keys: IdempotencyOptions | undefined;
  /** Event loop delay for load shedding. Default: that of this process. */
  readonly loopDelay: LoopDelay | undefined;
}

const healthService = "grpc.health.v1.Health";

/** Methods that probes, balancers and tools call: successful calls are not logged. */
const quietMethods: readonly MethodSelector[] = [
  `${healthService}/*`,
  ...reflectionServices.map(({ typeName }) => `${typeName}/*` as const),
];

/** Tools call reflection before each call. */
const reflectionNames: ReadonlySet<string> = new Set(reflectionServices.map(({ typeName }) => typeName));

/** Proto files with validation options. */
const ruleFiles = ["buf/validate/validate", "validate/validate"];

/** The definition's settings of calls. */
export interface DefinedCalls {
  readonly services: readonly DescService[];
  readonly access: AuthOptions["methods"];
  readonly own: OwnInterceptors;
  readonly validation: Definition["validation"];
}

/** Creates the stack of a server from the configuration and the application's own interceptors. */
export async function createServiceStack(
  live: LiveConfig,
  { services, access, own, validation }: DefinedCalls,
  { log, metrics, clock, secret, counts, keys, loopDelay }: ServerStackParts,
): Promise<ServerStack> {
  const config = live.current;
  const { grpc, loadShedding } = config;
  const tokens = trustedTokens(config, access !== undefined || services.some(hasAccessRule), secret);
  if (tokens !== undefined) refuseMethodsWithoutRule(services, access);
  return createServerStack({
    services,
    log,
    clock,
    metrics: { registry: metrics },
    ...(config.log.calls && { logging: { ignore: quietMethods } }),
    deadline: deadlines(services, live),
    ...(loadShedding !== undefined && { loadShedding: { ...loadShedding, ...(loopDelay && { loopDelay }) } }),
    ...(tokens !== undefined && {
      auth: { ...tokens, ...(access !== undefined && { methods: access }), publicReflection: grpc.reflection },
    }),
    ...(await rateLimits(live, counts)),
    ...(keys !== undefined && { idempotency: keys }),
    validation: services.some(({ file }) => hasRules(file)) && { ...validation },
    before: { requestId: [...(await createHttpStatuses(config)), ...(own.outermost ?? [])] },
    // Outside of the application's own interceptors, which may handle database errors themselves.
    after: { idempotency: [createDatabaseErrors(log), ...(own.innermost ?? [])] },
    replace: { serviceKey: await serviceKeyGuards(config, { services, access }, tokens !== undefined) },
  });
}

/** Creates rate limits that follow the configuration. Loaded only if it has such a section. */
async function rateLimits(
  live: LiveConfig,
  counts: CountStores | undefined,
): Promise<Pick<ServerStackOptions, "rateLimit" | "addressLimit">> {
  const { rateLimit } = live.current;
  if (rateLimit === undefined) return {};
  const { addressKey, clientKey } = await import("@tercel/interceptors/rate-limit");
  const { callerKey } = await import("@tercel/interceptors/service-key");
  const isOn = (): boolean => live.current.rateLimit?.isEnabled === true;
  const { perCaller, perAddress } = rateLimit;
  return {
    rateLimit: {
      limit: liveLimit(() => live.current.rateLimit?.perCaller ?? perCaller),
      keyOf: (request) => (isOn() && !reflectionNames.has(request.service.typeName) ? clientKey(request) : undefined),
      ...(counts !== undefined && { store: counts.perCaller }),
    },
    ...(perAddress !== undefined && {
      addressLimit: {
        limit: liveLimit(() => live.current.rateLimit?.perAddress ?? perAddress),
        // A service with a valid key calls on behalf of many and is already authenticated.
        keyOf: (request) =>
          isOn() &&
          live.current.rateLimit?.perAddress !== undefined &&
          request.contextValues.get(callerKey) === undefined
            ? addressKey(request)
            : undefined,
        ...(counts !== undefined && { store: counts.perAddress }),
      },
    }),
  };
}

function liveLimit(read: () => Limit): Limit {
  return {
    get requests() {
      return read().requests;
    },
    get per() {
      return read().per;
    },
  };
}

/** Creates the guards of service keys. Loaded only if keys are configured, or generated in development for callers that a rule names. */
async function serviceKeyGuards(
  config: RunConfig,
  { services, access }: Pick<DefinedCalls, "services" | "access">,
  hasTokens: boolean,
): Promise<readonly Interceptor[]> {
  const { grpc, serviceKeys, environment, secret } = config;
  if (serviceKeys === undefined) {
    if (environment.isProduction || secret === undefined) return [];
    const { identifyInDevelopment, namedCallers } = await import("./development-keys.ts");
    const callers = namedCallers(services, access);
    return callers.length === 0 ? [] : [identifyInDevelopment(callers, config)];
  }
  const { createServiceKeyGuards } = await import("./service-key-guards.ts");
  return createServiceKeyGuards({
    ...serviceKeys,
    allowCleartext: grpc.server.insecure === true,
    isRequired: !hasTokens,
    publicReflection: grpc.reflection,
  });
}

type DeadlineOptions = Exclude<NonNullable<ServerStackOptions["deadline"]>, boolean>;

/** Returns the deadline options. Response streams have no default deadline, since they may stay open. */
function deadlines(services: readonly DescService[], live: LiveConfig): DeadlineOptions {
  const openEnded = services.flatMap(({ methods, typeName }) =>
    methods
      .filter(({ methodKind }) => methodKind === "server_streaming" || methodKind === "bidi_streaming")
      .map(({ name }) => `${typeName}/${name}`),
  );
  const ofStreams = {
    get maxMs() {
      return live.current.grpc.maxTimeoutMs;
    },
  };
  const ofOthers = {
    get defaultMs() {
      return live.current.grpc.timeoutMs;
    },
    get maxMs() {
      return live.current.grpc.maxTimeoutMs;
    },
  };
  const limits = [
    ["*", ofOthers] as const,
    ...openEnded.map((name) => [name, ofStreams] as const),
    ...quietMethods.map((name) => [name, {}] as const),
  ];
  // The getters may return undefined, which counts as unset.
  return { methods: Object.fromEntries(limits) as NonNullable<DeadlineOptions["methods"]> };
}

/** Whether a proto file or one of its imports has validation rules. */
function hasRules(file: DescFile): boolean {
  return ruleFiles.includes(file.name) || file.dependencies.some(hasRules);
}

/** Creates the interceptors of the channel to a dependency. Channels share metrics; each has its own circuit breaker. */
export async function createChannelInterceptors(
  config: RunConfig,
  { log, metrics, clock }: StackParts,
): Promise<(dependency: DependencySection) => readonly Interceptor[]> {
  const { createClientMetrics } = await import("@tercel/interceptors/metrics");
  const options: ClientStackOptions = {
    log,
    clock,
    ...(config.service.version !== "" && { before: { requestId: sendClientVersion(config.service.version) } }),
    replace: { metrics: createClientMetrics({ registry: metrics }), serviceKey: await ownKey(config) },
  };
  const common = (await createClientStack(options)).interceptors;
  const ofName = new Map<string, readonly Interceptor[]>();
  for (const { name, circuitBreaker } of config.dependencies) {
    if (circuitBreaker?.enabled !== true) continue;
    const { enabled: _enabled, ...settings } = circuitBreaker;
    ofName.set(name, (await createClientStack({ ...options, circuitBreaker: settings })).interceptors);
  }
  return ({ name }) => ofName.get(name) ?? common;
}

/** Sends the version of this service with each call, for the logs of the called services. */
function sendClientVersion(version: string): Interceptor {
  return (next) => (request) => {
    if (!request.header.has(clientVersionHeader)) request.header.set(clientVersionHeader, version);
    return next(request);
  };
}

const clientVersionHeader = "x-client-version";

/** Sends the service's own key with each call except health checks, which need none. Loaded only if there is a key. */
async function ownKey(config: RunConfig): Promise<readonly Interceptor[]> {
  const { grpc, environment, service } = config;
  const key = config.ownServiceKey ?? developmentKey(config, service.name);
  if (key === undefined) return [];
  const { createServiceKey } = await import("@tercel/interceptors/service-key");
  // In development, services are on this machine, even if their names do not show it.
  const allowCleartext = grpc.server.insecure === true || !environment.isProduction;
  const showKey = createServiceKey({ key, allowCleartext });
  return [
    (next) => {
      const withKey = showKey(next);
      return (request) => (request.service.typeName === healthService ? next(request) : withKey(request));
    },
  ];
}
