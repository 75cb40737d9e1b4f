import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { method as methodOption, type Rule, service as serviceOption } from "../gen/tercel/auth/v1/auth_pb.ts";
import { pathOfMethod } from "./method-path.ts";

/** A rule of a proto, and the name of the method or service that has it. */
export interface ProtoRule {
  readonly name: string;
  readonly rule: Rule;
}

/**
 * What the proto says about a method: the method's own rule, else its service's; undefined without either.
 *
 * @throws TypeError for a rule that contradicts itself
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
    `${where}: the rule of ${name} in the proto is public, and also demands scopes, roles or callers`,
  );
}
