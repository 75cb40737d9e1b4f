import { isIPv4 } from "node:net";

/** Settings of the shop's programs. A program that does not need a setting accepts it all the same. */
export interface Settings {
  /** Interface to listen on: this machine only, unless told otherwise. */
  readonly host: string;
  /** TCP port of user-service; 0 picks a free one. */
  readonly userPort: number;
  /** TCP port of order-service; 0 picks a free one. */
  readonly orderPort: number;
  /** Absolute path of the folder that holds the databases. */
  readonly dataDir: string;
  /** Where user-service finds order-service: by the registry, unless told otherwise. */
  readonly orderAddress: string;
  /** How many processes of order-service the supervisor runs. The first has the port above, others any free one. */
  readonly orderInstances: number;
  /** Whether user-service says that it is ready while order-service is missing. It takes calls in any case. */
  readonly orderDependency: "required" | "optional";
  /** Where the registry listens. Empty: the supervisor hosts one; a service that runs alone does without. */
  readonly registry: string;
  /** In development there are tokens for a first try, reflection, and details for developers in errors. */
  readonly environment: "development" | "production";
  /** Whether anybody may ask what the services look like. */
  readonly reflection: boolean;
  /**
   * Absolute path of user-service's secret, of which its keys are made; in development also those by which services know each other. It is
   * created where it is missing.
   */
  readonly secretFile: string;
  /** Where the issuer of tokens publishes its keys. Empty, in development only: tokens are made with the secret. */
  readonly jwksUrl: string;
  /** The `iss` of tokens; empty together with `jwksUrl`. */
  readonly tokenIssuer: string;
  /** The `aud` of tokens for user-service. */
  readonly tokenAudience: string;
  /** The `aud` of tokens for order-service. */
  readonly orderTokenAudience: string;
  /** Absolute path of the keys of programs that may call order-service. Empty, in development only: it is made of the secret. */
  readonly callerKeysFile: string;
  /** Absolute path of the key by which order-service knows user-service. Empty, in development only: it is made of the secret. */
  readonly serviceKeyFile: string;
  /** Whether such keys may go to another machine as there is no TLS here, for example when a proxy adds it. */
  readonly cleartextKeys: "yes" | "no";
  /** A Redis that instances of user-service share for their cache and their rate limit; empty for none. */
  readonly redisUrl: string;
  /** Calls a minute that a client may make to user-service; 0 for any number. */
  readonly rateLimit: number;
  /** Calls a minute that may come from one address to a service, counted before it is known who calls; 0 for any number. */
  readonly addressRateLimit: number;
  /** When the event loop of user-service is later than this, it refuses calls; 0 for never. */
  readonly maxLoopDelayMs: number;
  /** Interface on which metrics are served: they tell a lot about a service. */
  readonly metricsHost: string;
  /** TCP port of user-service's metrics; 0 picks a free one. */
  readonly metricsPort: number;
  /** TCP port of the first order-service's metrics; 0 picks a free one, as others do. */
  readonly orderMetricsPort: number;
  /** Where traces are sent by OTLP; empty for nowhere. */
  readonly otlpUrl: string;
  /** The share of traces that begin here and are recorded. */
  readonly traceSampleRate: number;
  /** Largest request, and largest answer. */
  readonly maxMessageBytes: number;
  /** A connection without calls is closed after this; 0 for never. */
  readonly idleTimeoutMs: number;
  /** A connection is drained at this age; 0 for never. */
  readonly maxConnectionAgeMs: number;
  /** Then its calls are cancelled after this; 0 for never. */
  readonly maxConnectionAgeGraceMs: number;
  /** A client that has been silent for this long is pinged, */
  readonly keepaliveTimeMs: number;
  /** and its connection closed when it does not answer within this. */
  readonly keepaliveTimeoutMs: number;
  /** How often clients may ping; */
  readonly keepaliveMinTimeMs: number;
  /** whether they may do so without calls. */
  readonly keepaliveWithoutCalls: "yes" | "no";
}

/** "host:port", with brackets around an IPv6 address (RFC 3986 section 3.2.2). */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach who listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
