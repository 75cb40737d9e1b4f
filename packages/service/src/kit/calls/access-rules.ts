import { type DescMethod, type DescService, hasOption } from "@bufbuild/protobuf";
import type { AuthOptions } from "@tercel/interceptors/auth";
import { method as methodRule, service as serviceRule } from "@tercel/interceptors/gen/tercel/auth/v1/auth_pb.js";

/** Whether the proto has an access rule for a service or one of its methods. */
export function hasAccessRule(service: DescService): boolean {
  return service.methods.some(hasProtoRule);
}

function hasProtoRule(method: DescMethod): boolean {
  return hasOption(method, methodRule) || hasOption(method.parent, serviceRule);
}

/**
 * Rejects methods without an access rule in the definition or the proto.
 *
 * @throws Error with the lines to add
 */
export function refuseMethodsWithoutRule(services: readonly DescService[], access: AuthOptions["methods"] = {}): void {
  const forgotten = services.flatMap(({ methods }) =>
    methods.filter((method) => !hasProtoRule(method) && !isSelected(method, access)),
  );
  if (forgotten.length === 0) return;
  const [first] = forgotten;
  const what = forgotten.length === 1 ? `${pathOf(first)}` : `${forgotten.length} methods`;
  const lines = forgotten.map((method) => `  "${pathOf(method)}": "authenticated",`);
  throw new Error(
    `missing access rule for ${what}; add to the definition's access, with "public" or roles instead where needed:\n${lines.join("\n")}`,
  );
}

function isSelected(method: DescMethod, access: NonNullable<AuthOptions["methods"]>): boolean {
  return [pathOf(method), `${method.parent.typeName}/*`, "*"].some((selector) => Object.hasOwn(access, selector));
}

function pathOf(method: DescMethod | undefined): string {
  return method === undefined ? "" : `${method.parent.typeName}/${method.name}`;
}
