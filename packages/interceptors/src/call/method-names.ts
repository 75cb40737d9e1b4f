import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { methodPath } from "./method-path.ts";

/** `package.Service/Method` of a descriptor. */
export function pathOfMethod(method: DescMethod): string {
  return methodPath({ service: method.parent, method });
}

/** @throws TypeError unless it is a list of services */
export function checkServices(where: string, services: readonly DescService[]): readonly DescService[] {
  if (Array.isArray(services) && services.every((one) => one?.kind === "service")) return services;
  throw new TypeError(`${where}: services has to be a list of service descriptors, for example [UserService]`);
}

/**
 * Refuses rules for methods that do not exist: they would look as if they held.
 *
 * @throws TypeError that names the path and the nearest one, unless each is `package.Service/Method` or `package.Service/*`
 */
export function checkRulePaths(where: string, paths: readonly string[], services: readonly DescService[]): void {
  const known = services.flatMap((service) => [...service.methods.map(pathOfMethod), `${service.typeName}/*`]);
  for (const path of paths) {
    if (known.includes(path)) continue;
    const nearest = nearestName(path, known);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new TypeError(`${where}: rules name "${path}", which is no method of the services${hint}`);
  }
}
