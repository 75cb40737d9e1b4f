import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import type { Health } from "@tercel/grpc/services";
import type { AuthOptions } from "@tercel/interceptors/auth";
import type { Registry } from "@tercel/interceptors/metrics";
import type { ValidationOptions } from "@tercel/interceptors/validation";
import type { ServiceConfig, StandardSchemaV1 } from "../../config/index.ts";
import type { Need, Provider } from "../../provider.ts";
import type { OnReloaded } from "../run-config/reloaded-config.ts";
import type { OwnGatewayOptions } from "./own-gateway-options.ts";

/** The needs of a service, by the names of its parts. */
export type Needs = Readonly<Record<string, Need<unknown>>>;

/** The parts of every service. */
export interface Kit<Settings> {
  /** The configuration at the start; `onConfigChange` reports changes. */
  readonly config: ServiceConfig<Settings>;
  /** The key `app` of the configuration, validated by the definition's `settings`. */
  readonly settings: Settings;
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Registry;
  /**
   * Derives a key of 32 bytes for one purpose, the same in every process with the same `security.secret`. In development, a secret is generated.
   *
   * @throws Error outside of development without a configured secret
   */
  readonly secret: (purpose: string) => Uint8Array;
  /**
   * Aborted when the service stops, right before its calls drain. An endless stream must end then, with UNAVAILABLE; otherwise it delays the stop
   * until `service.drain` is over.
   */
  readonly stopping: AbortSignal;
  /**
   * Calls the listener with each change of the configuration's files, until the returned function is called. The kit has already applied its own settings
   * (log level, sample rate, limits, deadlines, required dependencies).
   */
  readonly onConfigChange: (listener: OnReloaded<Settings>) => () => void;
}

/** The parts for routes and background tasks: the ports of the needs, and the kit. */
export type Parts<N extends Needs, Settings> = {
  readonly [K in keyof N]: N[K] extends Need<infer Port> ? Port : never;
} & Kit<Settings>;

/** The application's interceptors around and inside the configured stack. */
export interface OwnInterceptors {
  readonly outermost?: readonly Interceptor[];
  /** Next to the handlers. */
  readonly innermost?: readonly Interceptor[];
}

/** Access rules by selector (`package.Service/Method`, `package.Service/*`). */
export type AccessRules = NonNullable<AuthOptions["methods"]>;

/** The definition of a service. */
export interface Definition<N extends Needs = Needs, Settings = unknown> {
  /** Needs: opened before `routes` is called, closed after the last call. Default: none. */
  readonly needs?: N;
  /**
   * Access rules, or a function that returns them if they depend on the configuration. Every method must have a rule, here or in the proto.
   * Default: all methods are public.
   */
  readonly access?: AccessRules | ((parts: Parts<N, Settings>) => AccessRules | undefined);
  /**
   * Methods (`package.Service/Method`, `package.Service/*`) whose requests are not validated by the rules in their protos, set to false: their handlers
   * validate themselves. Default: all requests are validated.
   */
  readonly validation?: { readonly methods: NonNullable<ValidationOptions["methods"]> };
  /** The application's own providers, which take precedence over built-in ones of the same type. */
  readonly providers?: readonly Provider[];
  /** Schema of the key `app` of the configuration: valibot, zod, arktype or another library with Standard Schema. */
  readonly settings?: StandardSchemaV1<unknown, Settings>;
  /** Registers the handlers. Called once, when all needs are open. */
  routes(router: ConnectRouter, parts: Parts<N, Settings>): void | Promise<void>;
  /** Returns the application's own interceptors. */
  interceptors?(parts: Parts<N, Settings>): OwnInterceptors;
  /**
   * Options of REST, Connect and gRPC-Web in addition to `communication.providers.http`: success statuses, rules, a fallback that serves a web page.
   * Default: none. They do not enable the gateway.
   */
  readonly gateway?: OwnGatewayOptions;
  /**
   * Background tasks by name. A failed task is restarted with backoff; one that resolves is done. The signal is aborted when the service stops and its
   * calls have drained; a task must end then.
   */
  readonly background?: Readonly<Record<string, (parts: Parts<N, Settings>, signal: AbortSignal) => Promise<void>>>;
}

/** Returns the definition unchanged, with inferred types. It is validated when it is run, started or tested; until then nothing is loaded. */
export function defineService<const N extends Needs = Record<never, never>, Settings = unknown>(
  definition: Definition<N, Settings>,
): Definition<N, Settings> {
  return definition;
}
