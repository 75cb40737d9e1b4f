import type { Clock, Log } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import type { GenericSchema } from "valibot";

/** The concern of a provider, which is the first key of its configuration: `<concern>.providers.<name>`. Applications may add their own. */
export type Concern = "database" | "cache" | "events" | "discovery" | "logging" | "monitoring" | (string & {});

/** The environment of a provider, while it opens and afterwards. */
export interface ProviderHost {
  /** The key of its entry in the configuration, `postgresql` in `database.providers.postgresql`. */
  readonly name: string;
  /** The name of the service that opens it, for connection names and the like. */
  readonly service: string;
  /** Log; never throws. */
  readonly log: Log;
  /**
   * Metrics registry. A family that another provider registered with the same type and labels is returned again, so that two entries of one type share
   * it; label each series by `name`.
   */
  readonly metrics: Registry;
  /** HTTP port of `/health`, for registries with HTTP checks. Undefined if it is not served. */
  readonly httpPort?: number;
  /** Whether the service serves TLS, for registries whose checks call it. Default false. */
  readonly servesTls?: boolean;
  /** Whether the pages on `httpPort` are served over TLS, as they are on a port with calls over TLS. Default false. */
  readonly httpServesTls?: boolean;
  /** Clock for all timers, so that tests need not wait. */
  readonly clock: Clock;
  /** Aborted when the service abandons the start or begins to close the provider; running work must end then. */
  readonly signal: AbortSignal;
}

/** The migrations that a database must have. */
export interface MigrationRequest {
  /** Folder with `0001_users.sql` and the following migrations. */
  readonly folder: URL;
  /** `apply` runs pending migrations; `check` rejects if there are any. */
  readonly mode: "apply" | "check";
}

/**
 * An implementation of a concern: PostgreSQL for `database`, Redis for `cache`. It is a plain object without state, which `open` creates. An application
 * adds its own with `providers` of its definition.
 */
export interface Provider<Config = unknown, Port = unknown> {
  readonly concern: Concern;
  /** Value of `type` in the configuration. An entry whose name is a type needs no `type`. */
  readonly type: string;
  /** Other names of the type, `postgresql` for `postgres`. */
  readonly aliases?: readonly string[];
  /** Schema of the entry, without `type` and `enabled`, with defaults. Unknown keys are rejected. */
  readonly config: GenericSchema<unknown, Config>;
  /** The optional package that it imports when it opens. `range` is for `npm install`: `^8`. */
  readonly peer?: { readonly name: string; readonly range: string };
  /**
   * Opens the provider; resolves when it can be used. Must not retry: the service does, with backoff, until `start.wait` has passed, except after a
   * `PermanentError`. Must close partially opened resources before it rejects.
   */
  open(config: Config, host: ProviderHost): Promise<Opened<Config, Port>>;
  /**
   * Migrates a database over separate connections, before `open` is called. Retried as `open` is. Rejects with a `PermanentError` for pending or edited
   * migrations.
   */
  migrate?(config: Config, request: MigrationRequest, host: ProviderHost): Promise<void>;
}

/** An open provider. */
export interface Opened<Config = unknown, Port = unknown> {
  readonly port: Port;
  /** Description for logs and for reasons on `/ready`: `postgres at db:5432/users`. Contains no secret. */
  readonly describe: string;
  /** Rejects with the reason when it is currently unavailable. Called periodically, never concurrently. */
  check(signal: AbortSignal): Promise<void>;
  /** Closes the provider. Called once, when the port is no longer used. May take `service.stop_timeout`. */
  close(): Promise<void>;
  /** Called with a valid configuration when the entry has changed. Returns `restart` if the change needs one, which is the default. */
  reload?(config: Config): "taken" | "restart";
}

/** The environment in which a need creates its part. */
export interface NeedHost extends ProviderHost {
  /** The key of the need in `needs`. */
  readonly need: string;
  /** Description of the entry's provider: `postgres at db:5432/users`. */
  readonly describe: string;
  /**
   * Returns the port of another concern's provider: of the named entry, else of the default one. Undefined if the configuration has none. Providers open
   * in the order database, cache, events, so that events can use the database.
   */
  portOf(concern: Concern, provider?: string): unknown;
}

/**
 * A declared need of a service: `database()`, `cache(UserSchema)`. `Port` is the type for handlers, `Provided` the port of the provider that it is
 * created from.
 */
export interface Need<Port, Provided = unknown> {
  readonly concern: Concern;
  /** Name of the entry. Default: `<concern>.default`, or the only one. */
  readonly provider?: string;
  /** For databases: the folder of the migrations. */
  readonly migrations?: URL;
  /** Creates the part, once its provider is open. */
  prepare(provided: Provided, host: NeedHost): NeedPart<Port> | Promise<NeedPart<Port>>;
}

/**
 * The part of a need, with its lifecycle steps. Each step is optional and called at most once. A failed start calls the steps that undo the ones already
 * called.
 */
export interface NeedPart<Port> {
  readonly port: Port;
  /** Starts accepting work; called after `routes`, so that all subscriptions are known, and before the server listens. */
  begin?(): void | Promise<void>;
  /** Stops accepting work; called at the beginning of a stop, before calls drain. Work in progress continues. */
  pause?(): void | Promise<void>;
  /** Ends the remaining work, such as the outbox relay; called after calls have drained and background tasks have ended. */
  end?(): void | Promise<void>;
}
