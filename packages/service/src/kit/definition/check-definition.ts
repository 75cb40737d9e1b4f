import { refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Definition, Kit, Needs } from "./definition.ts";

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

/** @throws TypeError for an invalid definition, with the name of the invalid part */
export function checkDefinition<N extends Needs, Settings>(definition: Definition<N, Settings>): void {
  const where = "defineService";
  if (typeof definition !== "object" || definition === null) {
    throw new TypeError(`${where}: invalid definition: expected an object with routes(router, parts)`);
  }
  refuseUnknownOptions(where, definition, definitionKeys);
  if (typeof definition.routes !== "function") {
    throw new TypeError(
      `${where}: routes must be a function that takes a router, such as (router) => router.service(…)`,
    );
  }
  for (const [name, need] of Object.entries<Needs[string]>(definition.needs ?? {})) {
    if ((kitKeys as readonly string[]).includes(name)) {
      throw new TypeError(`${where}: reserved name needs.${name}; choose another name`);
    }
    if (typeof need?.prepare !== "function" || typeof need.concern !== "string") {
      throw new TypeError(`${where}: needs.${name} is not a need, such as database() or client(Service, "name")`);
    }
  }
  for (const [name, task] of Object.entries(definition.background ?? {})) {
    if (typeof task !== "function") throw new TypeError(`${where}: background.${name} must be a function`);
  }
}
