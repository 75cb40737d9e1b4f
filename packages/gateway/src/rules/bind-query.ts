import type { DescField, DescOneof } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { findFieldPath, pathOf } from "./field-path.ts";
import { parseValue, ValueProblem } from "./parse-value.ts";
import type { QueryParameters } from "./query-parameters.ts";
import { quote, requestProblem } from "./request-problem.ts";
import { hasNamedFields } from "./text-types.ts";

/** Query parameters without a field in the request: an error, ignored, or ignored if they match one of these names (such as `utm_*`). */
export type UnknownQuery = "error" | "ignore" | readonly string[];

/** System parameters of Google's APIs, which control the format of the response. */
export interface SystemParameters {
  /** `$alt=json;enum-encoding=int`: enums as numbers. */
  readonly enumsAsNumbers: boolean;
  /** `$prettyPrint=true`: JSON with line breaks. */
  readonly isPretty: boolean;
}

export const defaultSystemParameters: SystemParameters = { enumsAsNumbers: false, isPretty: false };

/** Fields that the path or the body sets, so that the query must not. */
export interface TakenFields {
  readonly pathFields: readonly (readonly DescField[])[];
  readonly bodyField: DescField | undefined;
}

/**
 * Sets fields from a query string. A parameter is the path of a field with JSON or proto names (`author.given_name=Ada`), and may occur several
 * times for a repeated field.
 *
 * @throws ConnectError InvalidArgument with the name of the parameter, and the most similar field for an unknown one
 */
export function bindQuery(
  target: ReflectMessage,
  parameters: QueryParameters,
  taken: TakenFields,
  unknown: UnknownQuery,
): SystemParameters {
  const binding = new QueryBinding(target, taken, unknown);
  for (let at = 0; at < parameters.length; at += 2) binding.set(parameters[at] as string, parameters[at + 1] as string);
  return binding.system;
}

class QueryBinding {
  readonly #target: ReflectMessage;
  readonly #taken: TakenFields;
  readonly #unknown: UnknownQuery;
  /** Paths of the singular fields that are set. */
  readonly #seen = new Set<string>();
  /** The field that is set, by the path of its oneof. */
  readonly #choices = new Map<string, string>();
  system: SystemParameters = defaultSystemParameters;

  constructor(target: ReflectMessage, taken: TakenFields, unknown: UnknownQuery) {
    this.#target = target;
    this.#taken = taken;
    this.#unknown = unknown;
  }

  set(name: string, text: string): void {
    if (name.startsWith("$")) {
      this.#setSystem(name, text);
      return;
    }
    const fields = this.#findFields(name);
    if (fields === undefined) return;
    const path = pathOf(fields);
    this.#refuseTaken(fields, path);
    fields.forEach((field, at) => {
      this.#choose(field, pathOf(fields.slice(0, at)), path);
    });
    let message = this.#target;
    for (const field of fields.slice(0, -1)) message = innerMessage(message, field);
    const field = fields.at(-1) as DescField;
    if (field.fieldKind === "list") {
      message.get(field).add(parse(field, text, path));
      return;
    }
    if (this.#seen.has(path)) throw badParameter(path, "occurs twice, but the field is not repeated");
    this.#seen.add(path);
    message.set(field, parse(field, text, path));
  }

  /** Finds the field of a parameter; undefined for a parameter to ignore. */
  #findFields(name: string): readonly DescField[] | undefined {
    const found = findFieldPath(this.#target.desc, name);
    if ("fields" in found) {
      const problem = whyNoParameter(found.fields.at(-1) as DescField);
      if (problem !== undefined) throw badParameter(name, problem);
      return found.fields;
    }
    if (!found.isUnknown) throw badParameter(name, found.problem);
    if (this.#unknown === "ignore") return undefined;
    if (this.#unknown !== "error" && this.#unknown.some((pattern) => fits(pattern, name))) return undefined;
    throw requestProblem("UNKNOWN_QUERY_PARAMETER", [{ field: name, description: found.problem }]);
  }

  #refuseTaken(fields: readonly DescField[], path: string): void {
    const { pathFields, bodyField } = this.#taken;
    if (fields[0] === bodyField && bodyField !== undefined) throw badParameter(path, "is taken from the body");
    const isInPath = pathFields.some((other) => other.every((field, at) => field === fields[at]));
    if (isInPath) throw badParameter(path, "is taken from the path");
  }

  /** @throws ConnectError if another field of the same oneof is already set in the message at `parent` */
  #choose(field: DescField, parent: string, path: string): void {
    const oneof: DescOneof | undefined = field.oneof;
    if (oneof === undefined) return;
    const key = `${parent} ${oneof.name}`;
    const other = this.#choices.get(key);
    if (other !== undefined && other !== field.name) {
      throw badParameter(path, `and ${quote(other)} exclude each other: both are in the oneof ${oneof.name}`);
    }
    this.#choices.set(key, field.name);
  }

  #setSystem(name: string, text: string): void {
    if (name === "$prettyPrint" && (text === "true" || text === "false")) {
      this.system = { ...this.system, isPretty: text === "true" };
      return;
    }
    if (name === "$alt" && /^json(;enum-encoding=int)?$/.test(text)) {
      this.system = { ...this.system, enumsAsNumbers: text !== "json" };
      return;
    }
    const known =
      name === "$alt" ? "json or json;enum-encoding=int" : name === "$prettyPrint" ? "true or false" : undefined;
    throw badParameter(
      name,
      known === undefined ? "is not a known system parameter; use $alt or $prettyPrint" : `has to be ${known}`,
    );
  }
}

/** Returns the message in a field; creates it if the field is not set. */
export function innerMessage(message: ReflectMessage, field: DescField): ReflectMessage {
  if (field.fieldKind !== "message") throw new TypeError(`${field.name} is not a message`);
  const inner = message.get(field);
  // For an unset field, `get` returns a new message that is not part of the outer one yet.
  if (!message.isSet(field)) message.set(field, inner);
  const kept = message.get(field);
  if (!isReflectMessage(kept)) throw new TypeError(`${field.name} is not a message`);
  return kept;
}

function parse(field: DescField, text: string, path: string) {
  try {
    return parseValue(field, text);
  } catch (error) {
    if (error instanceof ValueProblem) throw badParameter(path, error.message);
    throw error;
  }
}

function whyNoParameter(field: DescField): string | undefined {
  if (field.fieldKind === "map") return "is a map; send it in a body";
  if (field.message === undefined) return undefined;
  if (field.fieldKind === "list") return "is a list of messages; send it in a body";
  return hasNamedFields(field.message) || field.message.typeName === "google.protobuf.Any"
    ? "is a message; name its fields, or send it in a body"
    : undefined;
}

/** Whether a name matches a pattern, which may end with "*". */
function fits(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function badParameter(field: string, description: string) {
  return requestProblem("INVALID_QUERY", [{ field, description }]);
}
