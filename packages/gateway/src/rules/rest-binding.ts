import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import type { HttpRule } from "../gen/google/api/http_pb.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";
import type { Route } from "./route-tree.ts";
import { isTextType } from "./text-types.ts";

/** A REST route of a method, checked against its messages. */
export interface RestBinding extends Route {
  readonly method: DescMethod;
  /** The gRPC path of the method: `/package.Service/Method`. */
  readonly methodPath: string;
  readonly template: PathTemplate;
  /** The fields of the template's variables in their order, each as a path of fields. */
  readonly pathFields: readonly (readonly DescField[])[];
  /** The request field for the HTTP body, "*" for the whole request, undefined for no body. */
  readonly body: DescField | "*" | undefined;
  /** The response field for the HTTP body; undefined for the whole response. */
  readonly responseBody: DescField | undefined;
  /** 0 for the rule itself, 1 and more for its additional bindings. */
  readonly index: number;
}

const httpMethodName = /^(\*|[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/;
const methodsWithoutBody = new Set(["GET", "HEAD"]);

/**
 * Reads the bindings of a rule, including the additional ones.
 *
 * @throws TypeError for an invalid rule, with the method and, for a template, the column
 */
export function readBindings(method: DescMethod, rule: HttpRule): RestBinding[] {
  const owner = `${method.parent.typeName}/${method.name}`;
  const rules = [rule, ...rule.additionalBindings];
  return rules.map((one, index) => {
    if (index > 0 && one.additionalBindings.length > 0) {
      throw new TypeError(`${owner}: an additional binding has additional bindings of its own`);
    }
    return readBinding(method, one, owner, index);
  });
}

function readBinding(method: DescMethod, rule: HttpRule, owner: string, index: number): RestBinding {
  const { httpMethod, path } = readPattern(rule, owner);
  const template = readTemplate(path, owner);
  const where = `${owner}: the rule ${httpMethod} ${path}`;
  const pathFields = template.variables.map(({ fieldPath }) => findPathField(method.input, fieldPath, where));
  const body = rule.body === "*" ? "*" : readField(method.input, rule.body, `${where}: body`);
  if (body !== undefined && methodsWithoutBody.has(httpMethod)) {
    throw new TypeError(`${where} has a body, and ${httpMethod} requests have none`);
  }
  if (body !== "*" && body !== undefined && pathFields.some((fields) => fields.length === 1 && fields[0] === body)) {
    throw new TypeError(`${where} takes ${body.name} from the path and from the body`);
  }
  const responseBody = readField(method.output, rule.responseBody, `${where}: response_body`);
  return { method, methodPath: `/${owner}`, httpMethod, template, pathFields, body, responseBody, index, owner };
}

function readPattern({ pattern }: HttpRule, owner: string): { httpMethod: string; path: string } {
  if (pattern.case === undefined) throw new TypeError(`${owner}: an HTTP rule without a path`);
  if (pattern.case !== "custom") return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
  const { kind, path } = pattern.value;
  if (!httpMethodName.test(kind)) {
    throw new TypeError(`${owner}: the custom kind ${JSON.stringify(kind)} is not the name of an HTTP method`);
  }
  return { httpMethod: kind, path };
}

function readTemplate(path: string, owner: string): PathTemplate {
  try {
    return parsePathTemplate(path);
  } catch (error) {
    throw new TypeError(`${owner}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws TypeError if the field does not exist, or its type cannot be in a path */
function findPathField(input: DescMessage, fieldPath: string, where: string): DescField[] {
  const names = fieldPath.split(".");
  const fields: DescField[] = [];
  let message = input;
  names.forEach((name, at) => {
    const field = findField(message, name, where);
    fields.push(field);
    const isLast = at === names.length - 1;
    if (isLast ? !isPathValue(field) : field.fieldKind !== "message") {
      const rule = isLast
        ? "a path holds scalars, enums, wrappers, timestamps and durations"
        : "only a message that is neither repeated nor a map has fields of its own";
      throw new TypeError(`${where} binds ${names.slice(0, at + 1).join(".")}, which is ${describe(field)}; ${rule}`);
    }
    if (!isLast) message = field.message as DescMessage;
  });
  return fields;
}

function isPathValue(field: DescField): boolean {
  if (field.fieldKind === "scalar" || field.fieldKind === "enum") return true;
  return field.fieldKind === "message" && isTextType(field.message);
}

function describe(field: DescField): string {
  if (field.fieldKind === "list") return "repeated";
  if (field.fieldKind === "map") return "a map";
  return field.fieldKind === "message" ? `a ${field.message.typeName}` : `a ${field.fieldKind}`;
}

function readField(message: DescMessage, name: string, where: string): DescField | undefined {
  if (name === "") return undefined;
  if (name.includes("."))
    throw new TypeError(`${where} is ${JSON.stringify(name)}; it has to be a field of the message itself`);
  return findField(message, name, where);
}

function findField(message: DescMessage, name: string, where: string): DescField {
  const field = message.fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  const names = message.fields.map((one) => one.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `; its fields are ${names.join(", ")}` : `; did you mean "${nearest}"?`;
  throw new TypeError(`${where}: ${message.typeName} has no field "${name}"${hint}`);
}
