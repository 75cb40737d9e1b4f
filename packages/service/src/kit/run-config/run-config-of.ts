import type {
  GrpcSection,
  IdempotencySection,
  LoadedConfig,
  LoadSheddingSection,
  RateLimitSection,
  SecuritySection,
  ServiceConfig,
} from "../../config/index.ts";
import type {
  CertificateFiles,
  ConfiguredProvider,
  ListenOn,
  LogConfig,
  RunConfig,
  TokenIssuer,
} from "./run-config.ts";

/** Concerns that are not opened as providers. */
const builtInConcerns: readonly string[] = ["communication", "logging", "monitoring"];

/** Converts a configuration to the form that the kit runs on. */
export function runConfigOf<App>(
  { value, environment }: LoadedConfig<ServiceConfig<App>>,
  isTerminal: boolean,
): RunConfig {
  const { service, grpc, gateway, listeners, security, rateLimit, loadShedding, idempotency } = value;
  if (grpc === undefined) {
    throw new Error("communication.providers.grpc is disabled, but a service must serve gRPC; remove enabled: false");
  }
  const { isProduction } = environment;
  const listen = listenerOf(listeners, "grpc") ?? { host: service.host, port: 0 };
  const isOnGrpcPort = listeners.some(({ serves }) => serves.includes("grpc") && serves.includes("http"));
  const http = isOnGrpcPort ? listen : listenerOf(listeners, "http");
  const metrics = listenerOf(listeners, "metrics");
  const prometheus = entryOf(value, "monitoring", "prometheus") as { readonly path?: string } | undefined;
  const tracing = entryOf(value, "monitoring", "otlp") as Omit<NonNullable<RunConfig["tracing"]>, "serviceName"> & {
    readonly serviceName?: string;
  };
  return {
    environment: { name: environment.name, isProduction },
    service: { name: service.name, version: service.version ?? "", workers: service.workers },
    grpc: {
      listen,
      server: { ...serverLimits(grpc), insecure: service.insecure },
      ...(grpc.tls.enabled && { certificate: certificateOf(grpc.tls) }),
      ...definedOf({ timeoutMs: grpc.defaultTimeoutMs, maxTimeoutMs: grpc.maxTimeoutMs }),
      ...(grpc.keepalive !== undefined && { clientKeepalive: clientKeepaliveOf(grpc.keepalive) }),
      reflection: grpc.reflection,
      debugInfo: grpc.debugInfo,
    },
    ...(http !== undefined && { http }),
    ...(gateway !== undefined && { gateway }),
    ...(metrics !== undefined && { metrics: { ...metrics, path: prometheus?.path ?? "/metrics" } }),
    log: logOf(value, isProduction, isTerminal),
    ...(tracing !== undefined && { tracing: { ...tracing, serviceName: tracing.serviceName ?? service.name } }),
    start: { waitMs: service.startWaitMs, migrations: isProduction ? "check" : "apply" },
    stop: { propagationMs: service.propagationMs, drainMs: service.drainMs, partMs: service.stopTimeoutMs },
    providers: providersOf(value),
    dependencies: value.dependencies,
    advertise: advertiseOf(value),
    ...securityOf(security, service.name),
    ...limitsOf(rateLimit),
    ...loadSheddingOf(loadShedding, grpc),
    ...keysOf(idempotency),
  };
}

function listenerOf(
  listeners: ServiceConfig["listeners"],
  page: ServiceConfig["listeners"][number]["serves"][number],
): ListenOn | undefined {
  const found = listeners.find(({ serves }) => serves.includes(page));
  // No host means every interface.
  return found === undefined ? undefined : { host: found.host ?? "0.0.0.0", port: found.port };
}

function entryOf({ concerns }: ServiceConfig, concern: string, type: string): unknown {
  return concerns[concern]?.entries.find((entry) => entry.type === type)?.config;
}

function serverLimits(grpc: GrpcSection): RunConfig["grpc"]["server"] {
  const { compression, keepalive } = grpc;
  const windows = definedOf({
    streamBytes: grpc.streamWindowBytes,
    connectionBytes: grpc.connectionWindowBytes,
  });
  return {
    ...definedOf({
      maxReceiveMessageBytes: grpc.maxReceiveMessageBytes,
      maxSendMessageBytes: grpc.maxSendMessageBytes,
      maxConcurrentStreams: grpc.maxConcurrentStreams,
      maxConcurrentCalls: grpc.maxConcurrentCalls,
      maxConnections: grpc.maxConnections,
      maxConnectionIdleMs: grpc.maxConnectionIdleMs,
      maxConnectionAgeMs: grpc.maxConnectionAgeMs,
      maxConnectionAgeGraceMs: grpc.maxConnectionAgeGraceMs,
    }),
    ...(Object.keys(windows).length > 0 && { limits: { windows } }),
    ...(compression?.enabled === true && { compressMinBytes: compression.minBytes }),
    ...(compression?.enabled === false && { compressions: [] }),
    ...(keepalive !== undefined && {
      keepalive: { timeMs: keepalive.timeMs, timeoutMs: keepalive.timeoutMs },
      keepaliveEnforcement: {
        minTimeMs: keepalive.minTimeMs,
        permitWithoutCalls: keepalive.permitWithoutCalls,
      },
    }),
  };
}

/** Removes keys without a value. */
function definedOf<Values extends object>(values: Values): { [K in keyof Values]?: Exclude<Values[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function certificateOf({ certFile = "", keyFile = "", caFile, clientAuth }: GrpcSection["tls"]): CertificateFiles {
  return { certFile, keyFile, clientAuth, ...(caFile !== undefined && { caFile }) };
}

function logOf({ concerns, logCalls }: ServiceConfig, isProduction: boolean, isTerminal: boolean): LogConfig {
  const logging = concerns.logging;
  const entry = logging?.entries.find(({ name }) => name === logging.default) ?? logging?.entries[0];
  const { level = "info", format = "auto" } = (entry?.config ?? {}) as {
    readonly level?: LogConfig["level"];
    readonly format?: LogConfig["format"] | "auto";
  };
  return {
    type: entry?.type === "pino" ? "pino" : "console",
    level,
    format: format !== "auto" ? format : isTerminal && !isProduction ? "pretty" : "json",
    calls: logCalls,
  };
}

function providersOf({ concerns }: ServiceConfig): readonly ConfiguredProvider[] {
  return Object.entries(concerns)
    .filter(([concern]) => !builtInConcerns.includes(concern))
    .flatMap(([concern, { entries, default: chosen }]) =>
      entries.map(({ name, type, config }) => ({ concern, name, type, config, isDefault: name === chosen })),
    );
}

/** Returns the registered name and address, which may differ from the service's. */
function advertiseOf({ service, concerns }: ServiceConfig): RunConfig["advertise"] {
  const discovery = concerns.discovery;
  const entry = discovery?.entries.find(({ name }) => name === discovery.default);
  const { serviceName, servicePort } = (entry?.config ?? {}) as {
    readonly serviceName?: string;
    readonly servicePort?: number;
  };
  return {
    metadata: service.metadata,
    ...definedOf({ name: serviceName, port: servicePort, host: service.advertiseHost }),
  };
}

function securityOf(
  { jwt, serviceAuthKey, serviceAuthHeader, serviceKeysFile, secret }: SecuritySection,
  serviceName: string,
): Pick<RunConfig, "tokens" | "serviceKeys" | "ownServiceKey" | "secret"> {
  const keys =
    serviceKeysFile !== undefined
      ? { file: serviceKeysFile }
      : serviceAuthKey !== undefined
        ? [{ name: "service", key: serviceAuthKey }]
        : undefined;
  return {
    ...(jwt?.enabled === true && { tokens: tokensOf(jwt, serviceName) }),
    ...(keys !== undefined && { serviceKeys: { keys, otherHeader: serviceAuthHeader } }),
    ...(secret !== undefined && { secret }),
    ...(serviceAuthKey !== undefined && { ownServiceKey: serviceAuthKey }),
  };
}

function tokensOf(
  { issuer, audience, jwksUrl, algorithms, secret, keyId }: NonNullable<SecuritySection["jwt"]>,
  serviceName: string,
): TokenIssuer {
  return {
    issuer,
    audience: audience ?? serviceName,
    ...(jwksUrl !== undefined && { jwks: { url: jwksUrl, algorithms } }),
    ...(secret !== undefined && { keys: sharedKeys(new TextEncoder().encode(secret), keyId) }),
  };
}

/** Returns the shared key with and without its ID, since tokens need not have a `kid`. */
function sharedKeys(secret: Uint8Array, keyId: string): NonNullable<TokenIssuer["keys"]> {
  const key = { algorithm: "HS256" as const, secret };
  return [key, { id: keyId, ...key }];
}

const minuteMs = 60_000;

/** Converts rate limits to calls per minute. */
function limitsOf(section: RateLimitSection | undefined): Pick<RunConfig, "rateLimit"> {
  if (section === undefined) return {};
  const { enabled, calls, addressCalls, windowMs } = section;
  const perMinute = (requests: number) =>
    ({ requests: Math.max(1, Math.round((requests * minuteMs) / windowMs)), per: "minute" }) as const;
  return {
    rateLimit: {
      isEnabled: enabled,
      perCaller: perMinute(calls),
      ...(addressCalls !== undefined && { perAddress: perMinute(addressCalls) }),
    },
  };
}

/** Converts load shedding; initially, a method may run all calls that a connection allows. */
function loadSheddingOf(
  { enabled, initialLimit, maxLimit, ...section }: LoadSheddingSection,
  { maxConcurrentStreams }: GrpcSection,
): Pick<RunConfig, "loadShedding"> {
  if (!enabled) return {};
  const initial = initialLimit ?? maxConcurrentStreams;
  const most = maxLimit ?? Math.max(defaultMaxLimit, initial, section.minLimit);
  return { loadShedding: { ...section, initialLimit: initial, maxLimit: most } };
}

/** Default limit of load shedding on concurrent calls of a method. */
const defaultMaxLimit = 1000;

function keysOf(section: IdempotencySection | undefined): Pick<RunConfig, "idempotency"> {
  if (section === undefined) return {};
  const { enabled, ...settings } = section;
  return { idempotency: { isEnabled: enabled, settings } };
}

/** Minimum ping interval of clients (gRFC A8). */
const minClientPingMs = 10_000;

/** Converts the keepalive section for the clients of this service. */
function clientKeepaliveOf({
  timeMs,
  timeoutMs,
  permitWithoutCalls,
}: NonNullable<GrpcSection["keepalive"]>): NonNullable<RunConfig["grpc"]["clientKeepalive"]> {
  return { timeMs: Math.max(minClientPingMs, timeMs), timeoutMs, permitWithoutCalls };
}
