import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Clock, Log } from "@tercel/grpc";
import { reflectionServices } from "@tercel/grpc/services";
import type { AuthOptions } from "@tercel/interceptors/auth";
import type { Logger } from "@tercel/interceptors/logging";
import type { Registry } from "@tercel/interceptors/metrics";
import type { RateLimitOptions } from "@tercel/interceptors/rate-limit";
import {
  type ClientStackOptions,
  createClientStack,
  createServerStack,
  type ServerStack,
  type ServerStackOptions,
} from "@tercel/interceptors/stack";
import type { DependencySection } from "../config/index.ts";
import type { Definition, OwnInterceptors } from "./definition.ts";
import type { RunConfig } from "./run-config.ts";
import { trustedTokens } from "./trusted-tokens.ts";

/** What the stacks are made from, besides the configuration. */
export interface StackParts {
  readonly log: Log;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
}

const healthService = "grpc.health.v1.Health";

/** Asked by probes, balancers and tools: not logged while they end well. */
const quietServices = [healthService, ...reflectionServices.map(({ typeName }) => typeName)];

/** Tools ask by reflection before each call, so that these do not count. */
const unlimited = Object.fromEntries(reflectionServices.map(({ typeName }) => [`${typeName}/*`, "unlimited" as const]));

/** Files whose options say what a request must be. */
const ruleFiles = ["buf/validate/validate", "validate/validate"];

/** What the code says about calls. */
export interface DefinedCalls {
  readonly services: readonly DescService[];
  readonly access: AuthOptions["rules"];
  readonly own: OwnInterceptors;
  readonly validation: Definition["validation"];
}

/** The stack of a server as the configuration says, with the application's own interceptors around and in it. */
export async function createServiceStack(
  config: RunConfig,
  { services, access, own, validation }: DefinedCalls,
  { log, logger, metrics, clock, secret }: StackParts & { readonly secret: (purpose: string) => Uint8Array },
): Promise<ServerStack> {
  const { grpc, rateLimit, addressLimit } = config;
  const tokens = trustedTokens(config, access, secret);
  return createServerStack({
    services,
    log,
    clock,
    metrics: { registry: metrics },
    ...(config.log.calls && { logging: { logger, ignore: quietServices } }),
    ...(grpc.timeoutMs !== undefined && { deadline: deadlines(services, grpc.timeoutMs) }),
    ...(addressLimit !== undefined && { addressLimit: { limit: addressLimit, keyOf: await addressOfStrangers() } }),
    ...(tokens !== undefined && {
      auth: { ...tokens, ...(access !== undefined && { rules: access }), publicReflection: grpc.reflection },
    }),
    ...(rateLimit !== undefined && { rateLimit: { limit: rateLimit, services: reflectionServices, rules: unlimited } }),
    validation: services.some(({ file }) => hasRules(file)) && { ...validation },
    ...(own.outermost !== undefined && { before: { requestId: own.outermost } }),
    ...(own.innermost !== undefined && { after: { idempotency: own.innermost } }),
    replace: { serviceKey: await serviceKeyGuards(config, tokens !== undefined) },
  });
}

/** A service that has shown its key calls for many, and there is nothing left to find out about it. */
async function addressOfStrangers(): Promise<NonNullable<RateLimitOptions["keyOf"]>> {
  const { addressKey } = await import("@tercel/interceptors/rate-limit");
  const { callerKey } = await import("@tercel/interceptors/service-key");
  return (request) => (request.contextValues.get(callerKey) === undefined ? addressKey(request) : undefined);
}

/** Loaded only where keys are configured. */
async function serviceKeyGuards({ grpc, serviceKeys }: RunConfig, hasTokens: boolean): Promise<readonly Interceptor[]> {
  if (serviceKeys === undefined) return [];
  const { createServiceKeyGuards } = await import("./service-key-guards.ts");
  return createServiceKeyGuards({
    ...serviceKeys,
    allowCleartext: grpc.server.insecure === true,
    isRequired: !hasTokens,
    publicReflection: grpc.reflection,
  });
}

/** Streams of responses may stay open for as long as they are read, so they have no deadline that their client did not set. */
function deadlines(services: readonly DescService[], defaultMs: number): NonNullable<ServerStackOptions["deadline"]> {
  const openEnded = services.flatMap(({ methods, typeName }) =>
    methods
      .filter(({ methodKind }) => methodKind === "server_streaming" || methodKind === "bidi_streaming")
      .map(({ name }) => `${typeName}/${name}`),
  );
  const names = [...openEnded, ...quietServices];
  return { defaultMs, methods: Object.fromEntries(names.map((name) => [name, {}])) };
}

/** Whether a proto file, or one that it imports, has rules for requests. */
function hasRules(file: DescFile): boolean {
  return ruleFiles.includes(file.name) || file.dependencies.some(hasRules);
}

/** The interceptors of the channel to a dependency. All channels count into the same metrics; each has a circuit breaker of its own. */
export async function createChannelInterceptors(
  config: RunConfig,
  { log, metrics, clock }: StackParts,
): Promise<(dependency: DependencySection) => readonly Interceptor[]> {
  const { createClientMetrics } = await import("@tercel/interceptors/metrics");
  const options: ClientStackOptions = {
    log,
    clock,
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

/** Shows the service's own key with each call but those for health, which every service answers without. Loaded only where there is a key. */
async function ownKey({ ownServiceKey, grpc, environment }: RunConfig): Promise<readonly Interceptor[]> {
  if (ownServiceKey === undefined) return [];
  const { serviceKey } = await import("@tercel/interceptors/service-key");
  // In development services are on this machine, under names that do not say so.
  const allowCleartext = grpc.server.insecure === true || !environment.isProduction;
  const showKey = serviceKey(ownServiceKey, { allowCleartext });
  return [
    (next) => {
      const withKey = showKey(next);
      return (request) => (request.service.typeName === healthService ? next(request) : withKey(request));
    },
  ];
}
