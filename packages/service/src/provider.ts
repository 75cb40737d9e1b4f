import type { Clock, Log } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import type { GenericSchema } from "valibot";

/** What a provider is for; the first key of its configuration: `<concern>.providers.<name>`. Applications may add their own. */
export type Concern = "database" | "cache" | "events" | "discovery" | "logging" | "monitoring" | (string & {});

/** What a provider may use while it opens and afterwards. */
export interface ProviderHost {
  /** The key of its entry in the configuration, `postgresql` in `database.providers.postgresql`. */
  readonly name: string;
  /** The name of the service that opens it: for connection names and the like. */
  readonly service: string;
  /** Never throws, whatever it is given. */
  readonly log: Log;
  /**
   * A family that another provider registered with the same type and labels is returned again, so that two entries of one type share it: label
   * each series by `name`.
   */
  readonly metrics: Registry;
  /** The port where `/health` is served by HTTP, for registries whose checks ask for it. Undefined where nothing is. */
  readonly httpPort?: number;
  /** Whether the service serves TLS, for registries whose checks call it. Default false. */
  readonly servesTls?: boolean;
  /** Whether the pages on `httpPort` are served over TLS: next to calls they are, where calls are. Default false. */
  readonly httpServesTls?: boolean;
  /** Every timer comes from here, so that tests need not wait. */
  readonly clock: Clock;
  /** Aborts when the service gives up the start or begins to close the provider: whatever still runs then ends. */
  readonly signal: AbortSignal;
}

/** Which migrations a database must have. */
export interface MigrationRequest {
  /** Holds `0001_users.sql` and the files that follow it. */
  readonly folder: URL;
  /** `apply` runs those that are pending; `check` rejects when there are any. */
  readonly mode: "apply" | "check";
}

/**
 * One way to serve a concern: PostgreSQL for `database`, Redis for `cache`. It is a plain object without state; `open` makes what has some. An
 * application adds its own with `providers` of its definition.
 */
export interface Provider<Config = unknown, Port = unknown> {
  readonly concern: Concern;
  /** What `type` says in the configuration. An entry whose name is a type needs no `type`. */
  readonly type: string;
  /** Other names of the type, `postgresql` for `postgres`. */
  readonly aliases?: readonly string[];
  /** Checks the entry, without `type` and `enabled`, and fills in defaults. Keys that it does not have are refused. */
  readonly config: GenericSchema<unknown, Config>;
  /** The optional package it imports when it opens. `range` is what `npm install` is told: `^8`. */
  readonly peer?: { readonly name: string; readonly range: string };
  /**
   * Opens it once: resolves when it can be used. It does not retry. The service does, with growing pauses, until `start.wait` has passed; after
   * a `PermanentError` it does not. What has been opened by halves is closed before this rejects.
   */
  open(config: Config, host: ProviderHost): Promise<Opened<Config, Port>>;
  /**
   * Only of databases: brings the schema up to date, over connections of its own, before `open` is called. Retried as `open` is.
   * Rejects with a `PermanentError` that says what is pending or was edited.
   */
  migrate?(config: Config, request: MigrationRequest, host: ProviderHost): Promise<void>;
}

/** A provider in use. */
export interface Opened<Config = unknown, Port = unknown> {
  readonly port: Port;
  /** For logs and for reasons on `/ready`: `postgres at db:5432/users`, never a secret. */
  readonly describe: string;
  /** Rejects, saying why, when it cannot be used at this moment. Called from time to time, never twice at once. */
  check(signal: AbortSignal): Promise<void>;
  /** Called once, when nothing uses the port any more. It may take `service.stop_timeout`. */
  close(): Promise<void>;
  /** Called with a checked configuration when the entry has changed. `restart`: the change needs a restart. Default: it does. */
  reload?(config: Config): "taken" | "restart";
}

/** What a need may use to make its part. */
export interface NeedHost extends ProviderHost {
  /** The key of the need in `needs`. */
  readonly need: string;
  /** What the entry's provider calls itself: `postgres at db:5432/users`. */
  readonly describe: string;
  /**
   * The port of another concern's provider: the named entry's, or the default one's. `undefined` where the configuration has none. Providers open
   * in the order database, cache, events, so that events find the database.
   */
  portOf(concern: Concern, provider?: string): unknown;
}

/**
 * What a service says it needs, before anything is open: `database()`, `cache(UserSchema)`. `Port` is what handlers get, `Provided` is the
 * port of the provider that it is made from.
 */
export interface Need<Port, Provided = unknown> {
  readonly concern: Concern;
  /** The entry to use. Default: `<concern>.default`, or the only one. */
  readonly provider?: string;
  /** Only of databases: the folder whose migrations must be applied. */
  readonly migrations?: URL;
  /** Makes the part, once its provider is open. */
  prepare(provided: Provided, host: NeedHost): NeedPart<Port> | Promise<NeedPart<Port>>;
}

/**
 * A need that is met, and its steps in the life of the service. Each step is optional and called at most once. A start that fails calls those
 * that undo what was called.
 */
export interface NeedPart<Port> {
  readonly port: Port;
  /** After `routes`, so with every subscription known, and before the server listens: begins to take work. */
  begin?(): void | Promise<void>;
  /** At the beginning of a stop, before calls drain: takes no further work. Work in progress goes on. */
  pause?(): void | Promise<void>;
  /** After calls have drained and background tasks have ended: ends the rest of its work, the outbox relay for example. */
  end?(): void | Promise<void>;
}
