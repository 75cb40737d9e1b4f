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
  /** What the provider's schema has made of the entry. */
  readonly config: unknown;
  /** Whether it is the one to use where code names none. */
  readonly isDefault: boolean;
}

/** Whose tokens are accepted. */
export type TokenIssuer = Pick<AuthOptions, "jwks" | "keys" | "issuer" | "audience">;

/** Files of a server's certificate. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The authorities whose certificates clients may show. */
  readonly caFile?: string;
  readonly clientAuth: "none" | "optional" | "required";
}

/** What a service runs on: its configuration in the terms of what it is made of. */
export interface RunConfig {
  readonly environment: { readonly name: string; readonly isProduction: boolean };
  readonly service: { readonly name: string; readonly version: string; readonly workers: number };
  readonly grpc: {
    readonly listen: ListenOn;
    /** Limits, keepalive, compression and the like. */
    readonly server: Omit<
      ServerOptions,
      "routes" | "interceptors" | "log" | "clock" | "http1Server" | "exposeDebugInfo" | "tls"
    >;
    readonly certificate?: CertificateFiles;
    /** The deadline of unary and client-stream calls whose client set none. Default: none. */
    readonly timeoutMs?: number;
    /** The longest deadline that a client gets. Default: as long as it asks for. */
    readonly maxTimeoutMs?: number;
    /** The pings of this service's own clients. Default: none. */
    readonly clientKeepalive?: NonNullable<DependencySection["keepalive"]>;
    readonly reflection: boolean;
    /** Whether clients are shown google.rpc.DebugInfo. */
    readonly debugInfo: boolean;
  };
  /** Where `/health` and `/ready` are served by HTTP, and the gateway if there is one. */
  readonly http?: ListenOn;
  /** How REST, Connect and gRPC-Web are served there. Default: not at all. */
  readonly gateway?: Omit<HttpSection, "host" | "port">;
  /** Where the metrics are served. The same port as `http`, or as gRPC, is one listener. */
  readonly metrics?: ListenOn & { readonly path: string };
  readonly log: LogConfig;
  /** Where traces are sent by OTLP. */
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
  /** How others find and reach this service. Default: its name, and the address it listens on or this machine's first one. */
  readonly advertise: {
    readonly name?: string;
    readonly host?: string;
    readonly port?: number;
    readonly metadata: Readonly<Record<string, string>>;
  };
  /** What keys for single purposes are derived from. */
  readonly secret?: string;
  readonly tokens?: TokenIssuer;
  /** The keys of services that may call, and the metadata that carries them next to `x-service-key`. */
  readonly serviceKeys?: { readonly keys: ServiceKeys; readonly otherHeader: string };
  /** The key that this service shows to others. */
  readonly ownServiceKey?: string;
  /** Undefined where the configuration has no such section. */
  readonly rateLimit?: {
    readonly isEnabled: boolean;
    /** For each caller, over all methods. */
    readonly perCaller: Limit;
    /** For each address, before it is known who calls. */
    readonly perAddress?: Limit;
  };
  /** Undefined where every call runs at once, whatever the load. */
  readonly loadShedding?: Omit<LoadSheddingOptions, "services" | "clock" | "random" | "loopDelay">;
  /** Undefined where the configuration has no such section: then the protos of the services say whether keys are read. */
  readonly idempotency?: { readonly isEnabled: boolean; readonly settings: KeySettings };
}

/** How keys of calls that must not run twice are kept. */
export type KeySettings = Pick<IdempotencyOptions, "required" | "ttlMs" | "leaseMs" | "maxWaitMs">;

/** The configuration as it is now. Keys that need a restart are read from the one that the service was started with. */
export interface LiveConfig {
  readonly current: RunConfig;
}

export interface LogConfig {
  readonly type: "console" | "pino";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "pretty";
  /** Whether each call has a line. */
  readonly calls: boolean;
}
