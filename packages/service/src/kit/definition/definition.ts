import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Health } from "@tercel/grpc/services";
import type { AuthOptions } from "@tercel/interceptors/auth";
import type { Registry } from "@tercel/interceptors/metrics";
import type { ValidationOptions } from "@tercel/interceptors/validation";
import type { ServiceConfig, StandardSchemaV1 } from "../../config/index.ts";
import type { Need, Provider } from "../../provider.ts";
import type { OnReloaded } from "../run-config/reloaded-config.ts";
import type { OwnGatewayOptions } from "./own-gateway-options.ts";

/** What a service needs, by the names under which its handlers get it. */
export type Needs = Readonly<Record<string, Need<unknown>>>;

/** What every service has. */
export interface Kit<Settings> {
  /** As it was at the start; `onConfigChange` reports changes. */
  readonly config: ServiceConfig<Settings>;
  /** The key `app` of the configuration, as the definition's `settings` has checked it. */
  readonly settings: Settings;
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Registry;
  /**
   * A key of 32 bytes for one purpose, the same in every process with the same `security.secret`. In development one is made up.
   *
   * @throws Error when the environment is not development and no secret is configured
   */
  readonly secret: (purpose: string) => Uint8Array;
  /**
   * Aborts when the service stops, right before its calls drain. A stream that has no end of its own must end then, with UNAVAILABLE, or it
   * holds up the stop until `service.drain` is over.
   */
  readonly stopping: AbortSignal;
  /**
   * Calls the listener with each change of the configuration's files, until the returned function is called. What the kit itself follows (log level,
   * sample rate, limits, deadlines, whether a dependency is required) has been applied by then.
   */
  readonly onConfigChange: (listener: OnReloaded<Settings>) => () => void;
}

/** What routes and background tasks get: the ports of the needs, and the kit. */
export type Parts<N extends Needs, Settings> = {
  readonly [K in keyof N]: N[K] extends Need<infer Port> ? Port : never;
} & Kit<Settings>;

/** Around the stack of interceptors that the configuration has made. */
export interface OwnInterceptors {
  readonly outermost?: readonly Interceptor[];
  /** Next to the handlers. */
  readonly innermost?: readonly Interceptor[];
}

/** Who may call what: a rule for each selector (`package.Service/Method`, `package.Service/*`). */
export type AccessRules = NonNullable<AuthOptions["methods"]>;

/** What a service consists of. */
export interface Definition<N extends Needs = Needs, Settings = unknown> {
  /** What it needs: opened before `routes` is called, closed after the last call. Default: nothing. */
  readonly needs?: N;
  /**
   * Who may call what, or a function that returns it where it depends on the configuration; every method must have a rule, here or in the proto.
   * Default: everyone may call everything.
   */
  readonly access?: AccessRules | ((parts: Parts<N, Settings>) => AccessRules | undefined);
  /**
   * Requests are checked against the rules in their protos, apart from the `methods` (`package.Service/Method`, `package.Service/*`) that are
   * false here: their handlers check by themselves. Default: all are checked.
   */
  readonly validation?: { readonly methods: NonNullable<ValidationOptions["methods"]> };
  /** Providers of the application's own, before the built-in ones of the same type. */
  readonly providers?: readonly Provider[];
  /** Checks the key `app` of the configuration: a schema of valibot, zod, arktype or another library of Standard Schema. */
  readonly settings?: StandardSchemaV1<unknown, Settings>;
  /** Registers the handlers. Called once, when every need is met. */
  routes(router: ConnectRouter, parts: Parts<N, Settings>): void | Promise<void>;
  /** Interceptors of its own. */
  interceptors?(parts: Parts<N, Settings>): OwnInterceptors;
  /**
   * What REST, Connect and gRPC-Web have besides what `communication.providers.http` says: success statuses, rules, a fallback that serves a web page.
   * Default: nothing. Alone it does not switch them on.
   */
  readonly gateway?: OwnGatewayOptions;
  /**
   * Work besides calls, by name. A task that fails is started again, with growing pauses; one that ends is over. The signal aborts when the
   * service stops and its calls have drained; a task must end then.
   */
  readonly background?: Readonly<Record<string, (parts: Parts<N, Settings>, signal: AbortSignal) => Promise<void>>>;
}

const definitionKeys = [
  "needs",
  "access",
  "validation",
  "providers",
  "settings",
  "routes",
  "interceptors",
  "gateway",
  "background",
] as const satisfies readonly (keyof Definition)[];

const kitKeys = [
  "config",
  "settings",
  "log",
  "health",
  "metrics",
  "secret",
  "stopping",
  "onConfigChange",
] as const satisfies readonly (keyof Kit<unknown>)[];

/**
 * Returns the definition as it is, with the types of its parts inferred. Nothing is opened or started.
 *
 * @throws TypeError for a definition that cannot be run, with the name of what is wrong
 */
export function defineService<const N extends Needs = Record<never, never>, Settings = unknown>(
  definition: Definition<N, Settings>,
): Definition<N, Settings> {
  const where = "defineService";
  if (typeof definition !== "object" || definition === null) {
    throw new TypeError(`${where}: a definition is an object with routes(router, parts)`);
  }
  refuseUnknownOptions(where, definition, definitionKeys);
  if (typeof definition.routes !== "function") {
    throw new TypeError(
      `${where}: routes must be a function that takes a router, such as (router) => router.service(…)`,
    );
  }
  for (const [name, need] of Object.entries(definition.needs ?? {})) {
    if ((kitKeys as readonly string[]).includes(name)) {
      throw new TypeError(`${where}: needs.${name} has the name of a part that every service has; choose another name`);
    }
    if (typeof need?.prepare !== "function" || typeof need.concern !== "string") {
      throw new TypeError(`${where}: needs.${name} is not a need, such as database() or client(Service, "name")`);
    }
  }
  for (const [name, task] of Object.entries(definition.background ?? {})) {
    if (typeof task !== "function") throw new TypeError(`${where}: background.${name} must be a function`);
  }
  return definition;
}
