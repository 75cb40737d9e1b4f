import type { ServerOptions } from "@tercel/grpc";
import type { AuthOptions } from "@tercel/interceptors/auth";
import type { IdempotencyOptions } from "@tercel/interceptors/idempotency";
import type { LoadSheddingOptions } from "@tercel/interceptors/load-shedding";
import type { Limit } from "@tercel/interceptors/rate-limit";
import type { ServiceKeys } from "@tercel/interceptors/service-key";
import type { DependencySection, HttpSection } from "../../config/index.ts";
import type { Concern } from "../../provider.ts";

/** A host and a port to listen on; port 0 lets the system choose. */
export interface ListenOn {
  readonly host: string;
  readonly port: number;
}

/** An entry `<concern>.providers.<name>` that is enabled. */
export interface ConfiguredProvider {
  readonly concern: Concern;
  readonly name: string;
  /** A provider's type or one of its aliases. */
  readonly type: string;
  /** The output of the provider's schema. */
  readonly config: unknown;
  /** Whether it is the default entry. */
  readonly isDefault: boolean;
}

/** The accepted issuer of tokens. */
export type TokenIssuer = Pick<AuthOptions, "jwks" | "keys" | "issuer" | "audience">;

/** Files of a server's certificate. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates. */
  readonly caFile?: string;
  readonly clientAuth: "none" | "optional" | "required";
}

/** The configuration of a service, in the form that the kit runs on. */
export interface RunConfig {
  readonly environment: { readonly name: string; readonly isProduction: boolean };
  readonly service: { readonly name: string; readonly version: string; readonly workers: number };
  readonly grpc: {
    readonly listen: ListenOn;
    /** Server options such as limits, keepalive and compression. */
    readonly server: Omit<
      ServerOptions,
      "routes" | "interceptors" | "log" | "clock" | "http1Server" | "exposeDebugInfo" | "tls"
    >;
    readonly certificate?: CertificateFiles;
    /** Default deadline of unary and client-stream calls, in milliseconds. Default: none. */
    readonly timeoutMs?: number;
    /** Maximum deadline, in milliseconds. Default: no limit. */
    readonly maxTimeoutMs?: number;
    /** Keepalive of this service's clients. Default: none. */
    readonly clientKeepalive?: NonNullable<DependencySection["keepalive"]>;
    readonly reflection: boolean;
    /** Whether errors contain google.rpc.DebugInfo. */
    readonly debugInfo: boolean;
  };
  /** Address of `/health`, `/ready` and, if enabled, the gateway. */
  readonly http?: ListenOn;
  /** Options of REST, Connect and gRPC-Web on that address. Default: not served. */
  readonly gateway?: Omit<HttpSection, "host" | "port">;
  /** Address of the metrics. They share a listener with `http` or gRPC on the same port. */
  readonly metrics?: ListenOn & { readonly path: string };
  readonly log: LogConfig;
  /** OTLP exporter of traces. */
  readonly tracing?: {
    readonly url: string;
    readonly sampleRate: number;
    readonly serviceName: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly start: { readonly waitMs: number; readonly migrations: "apply" | "check" };
  readonly stop: { readonly propagationMs: number; readonly drainMs: number; readonly partMs: number };
  readonly providers: readonly ConfiguredProvider[];
  readonly dependencies: readonly DependencySection[];
  /** Registered name and address. Default: the service's name, and its listen address or this machine's first external one. */
  readonly advertise: {
    readonly name?: string;
    readonly host?: string;
    readonly port?: number;
    readonly metadata: Readonly<Record<string, string>>;
  };
  /** Secret from which keys are derived. */
  readonly secret?: string;
  readonly tokens?: TokenIssuer;
  /** Keys of services that may call, and the alternative metadata key to `x-service-key`. */
  readonly serviceKeys?: { readonly keys: ServiceKeys; readonly otherHeader: string };
  /** Key that this service sends to others. */
  readonly ownServiceKey?: string;
  /** Undefined where the configuration has no such section. */
  readonly rateLimit?: {
    readonly isEnabled: boolean;
    /** Limit per caller, over all methods. */
    readonly perCaller: Limit;
    /** Limit per address, before authentication. */
    readonly perAddress?: Limit;
  };
  /** Undefined without load shedding. */
  readonly loadShedding?: Omit<LoadSheddingOptions, "services" | "clock" | "random" | "loopDelay">;
  /** Undefined if the configuration has no such section: then the protos decide whether keys are used. */
  readonly idempotency?: { readonly isEnabled: boolean; readonly settings: KeySettings };
}

/** Settings of idempotency keys. */
export type KeySettings = Pick<IdempotencyOptions, "required" | "ttlMs" | "leaseMs" | "maxWaitMs">;

/** The current configuration. Keys that need a restart are read from the configuration at the start. */
export interface LiveConfig {
  readonly current: RunConfig;
}

export interface LogConfig {
  readonly type: "console" | "pino";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "pretty";
  /** Whether each call is logged. */
  readonly calls: boolean;
}
