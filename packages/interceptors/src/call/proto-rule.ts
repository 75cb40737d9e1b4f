import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { method as methodOption, type Rule, service as serviceOption } from "../gen/tercel/auth/v1/auth_pb.ts";
import { pathOfMethod } from "./method-path.ts";

/** A rule in a proto, and the name of its method or service. */
export interface ProtoRule {
  readonly name: string;
  readonly rule: Rule;
}

/**
 * Returns the rule of a method in the proto, or else that of its service; undefined without either.
 *
 * @throws TypeError for a contradictory rule
 */
export function readProtoRule(where: string, method: DescMethod): ProtoRule | undefined {
  const { parent } = method;
  if (hasOption(method, methodOption)) return checked(where, pathOfMethod(method), getOption(method, methodOption));
  return hasOption(parent, serviceOption)
    ? checked(where, parent.typeName, getOption(parent, serviceOption))
    : undefined;
}

function checked(where: string, name: string, rule: Rule): ProtoRule {
  const { scopes, roles, callers } = rule;
  if (!rule.public || scopes.length + roles.length + callers.length === 0) return { name, rule };
  throw new TypeError(
    `${where}: the rule of ${name} in the proto is public, but also requires scopes, roles or callers`,
  );
}
