import {
  type DescField,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { pathOfMethod } from "../call/method-path.ts";
import { type ByMethod, createMethodTable } from "../call/method-selector.ts";
import { flag, type OptionsOf, readOptions, text } from "../call/options.ts";
import { key as keyOption, method as methodOption } from "../gen/tercel/idempotency/v1/idempotency_pb.ts";

export const idempotencyRuleOptions = {
  /** The string field of the request with the key, by its proto name. */
  field: text(),
  /** Whether a call without a key is rejected with INVALID_ARGUMENT. */
  required: flag(),
};

/** The idempotency options of a method. */
export type IdempotencyRule = OptionsOf<typeof idempotencyRuleOptions>;

/** The rules in code. The proto takes precedence over all of them except `methods`. */
export interface KeyRuleSources {
  readonly field: string;
  readonly required: boolean;
  readonly methods: ByMethod<IdempotencyRule | false>;
  /** Services whose rules are checked immediately. */
  readonly services: readonly DescService[] | undefined;
}

/** A compiled rule. */
export interface KeyRule {
  /** The field's name in errors. */
  readonly field: string;
  /** Undefined if the request does not have the field: then only the header counts. */
  readonly localName: string | undefined;
  readonly required: boolean;
}

/**
 * Returns a function that determines the rule of a method, once for each. The rules in the proto are checked at the method's first call, or
 * immediately for `services`.
 *
 * @throws TypeError for invalid rules in code, and in the protos of `services`
 */
export function createKeyRules(where: string, sources: KeyRuleSources): (method: DescMethod) => KeyRule | "exempt" {
  for (const [selector, rule] of Object.entries(sources.methods)) {
    if (rule !== false) readOptions(`${where}: methods["${selector}"]`, idempotencyRuleOptions, rule);
  }
  const table = createMethodTable(where, "methods", sources.methods, sources.services);
  const compiled = new WeakMap<DescMethod, KeyRule | "exempt">();

  function ruleOf(method: DescMethod): KeyRule | "exempt" {
    let rule = compiled.get(method);
    if (rule === undefined) {
      rule = compile(method);
      compiled.set(method, rule);
    }
    return rule;
  }

  function compile(method: DescMethod): KeyRule | "exempt" {
    const path = pathOfMethod(method);
    const entry = table.find(method);
    const code = entry?.value;
    if (code === false) return "exempt";
    const proto = ruleOfProto(where, method);
    if (proto.exempt && code === undefined) return "exempt";
    // A field in a rule for this method must exist in its request; a field in a rule for all methods need not.
    const own = entry?.selector === path ? code?.field : undefined;
    const named = own === undefined ? undefined : stringField(`${where}: ${path}`, method, own);
    const found = named ?? (code?.field === undefined ? proto.field : undefined);
    const field = found?.name ?? code?.field ?? sources.field;
    return {
      field,
      localName: (found ?? method.input.fields.find((one) => one.name === field && isString(one)))?.localName,
      required: code?.required ?? (proto.required || sources.required),
    };
  }

  for (const service of sources.services ?? []) service.methods.forEach(ruleOf);
  return ruleOf;
}

interface ProtoRule {
  readonly field: DescField | undefined;
  readonly required: boolean;
  readonly exempt: boolean;
}

function ruleOfProto(where: string, method: DescMethod): ProtoRule {
  const path = pathOfMethod(method);
  const marked = method.input.fields.filter((field) => hasOption(field, keyOption) && getOption(field, keyOption));
  const [first, second] = marked;
  if (second !== undefined) {
    throw new TypeError(
      `${where}: ${method.input.typeName} marks two fields as its key: ${first?.name} and ${second.name}`,
    );
  }
  if (first !== undefined && !isString(first)) {
    throw new TypeError(`${where}: ${method.input.typeName} marks ${first.name} as its key, which is not a string`);
  }
  if (!hasOption(method, methodOption)) return { field: first, required: false, exempt: false };
  const { field, required, exempt } = getOption(method, methodOption);
  if (exempt && (required || field !== "")) {
    throw new TypeError(`${where}: the rule of ${path} in the proto is exempt, but also requires a key`);
  }
  const named = field === "" ? first : stringField(`${where}: the rule of ${path}`, method, field);
  return { field: named, required, exempt };
}

function stringField(where: string, method: DescMethod, name: string): DescField {
  const found = method.input.fields.find((field) => field.name === name);
  if (found !== undefined && isString(found)) return found;
  throw new TypeError(`${where} names "${name}", which is not a string field of ${method.input.typeName}`);
}

function isString(field: DescField): boolean {
  return field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
}
