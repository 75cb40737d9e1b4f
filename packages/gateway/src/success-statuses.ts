import type { DescMethod } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import type { RestMethod } from "./gateway-options.ts";

/**
 * Reads the HTTP status of successful responses by method from the option `methods`.
 *
 * @throws TypeError for an unknown method, and for a method with two statuses
 */
export function readSuccessStatuses(
  entries: readonly RestMethod[],
  methods: readonly DescMethod[],
): ReadonlyMap<DescMethod, number> {
  const statuses = new Map<DescMethod, number>();
  for (const { of, successStatus } of entries) {
    if (successStatus === undefined) continue;
    for (const one of [of].flat() as (string | DescMethod)[]) {
      const method = typeof one === "string" ? findMethod(one, methods) : one;
      if (statuses.has(method)) throw new TypeError(`createGateway: methods has two entries of "${nameOf(method)}"`);
      statuses.set(method, successStatus);
    }
  }
  return statuses;
}

function findMethod(name: string, methods: readonly DescMethod[]): DescMethod {
  const found = methods.find((method) => nameOf(method) === name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, methods.map(nameOf));
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new TypeError(`createGateway: methods names "${name}", which this server does not have${hint}`);
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
