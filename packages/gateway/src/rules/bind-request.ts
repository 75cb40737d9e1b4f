import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import type { Codec } from "@tercel/grpc/codec";
import {
  bindQuery,
  defaultSystemParameters,
  innerMessage,
  type SystemParameters,
  type UnknownQuery,
} from "./bind-query.ts";
import { decodeJsonBody, parseJsonBody } from "./json-body.ts";
import { parseValue, ValueProblem } from "./parse-value.ts";
import { findMaskField, maskOfBody } from "./patch-mask.ts";
import type { QueryParameters } from "./query-parameters.ts";
import { requestProblem } from "./request-problem.ts";
import type { RestBinding } from "./rest-binding.ts";
import { hasNamedFields } from "./text-types.ts";

/** The parts of an HTTP request that set fields. */
export interface RestRequest {
  /** Values of the template's variables, in their order. */
  readonly pathValues: readonly string[];
  readonly query: QueryParameters;
  /** Empty for a request without a body. */
  readonly body: Uint8Array;
  /** Returns a header by its lower-case name. */
  header(name: string): string | undefined;
}

export interface BoundRequest {
  readonly message: Message;
  readonly system: SystemParameters;
  /** `If-Match` has set a field, so that ABORTED becomes status 412. */
  readonly hasIfMatch: boolean;
}

export interface BindOptions {
  readonly json: Codec;
  readonly unknownQuery: UnknownQuery;
}

/**
 * Builds the request message of a REST request: from the body, then the query, then the path, which takes precedence.
 *
 * @param messageOfBody the message read from a body that is not JSON
 * @throws ConnectError InvalidArgument with the field and the problem
 */
export function bindRequest(
  binding: RestBinding,
  request: RestRequest,
  options: BindOptions,
  messageOfBody?: Message,
): BoundRequest {
  const { body, pathFields } = binding;
  const message = messageOfBody ?? readBody(binding, request.body, options.json);
  const target = new BoundMessage(binding.method.input, message);
  let system = defaultSystemParameters;
  if (request.query.length > 0) {
    const parameters = body === "*" ? onlySystem(request.query) : request.query;
    const taken = { pathFields, bodyField: body === "*" ? undefined : body };
    system = bindQuery(target.reflected, parameters, taken, options.unknownQuery);
  }
  setPathFields(target, binding, request.pathValues);
  if (binding.httpMethod === "PATCH") setMask(target.reflected, binding, request.body);
  return { message, system, hasIfMatch: setHeaderFields(target, binding, request) };
}

/** Builds a message of a client stream from a body and the path. */
export function bindStreamed(
  binding: RestBinding,
  pathValues: readonly string[],
  body: Uint8Array,
  json: Codec,
): Message {
  const message = readBody(binding, body, json);
  setPathFields(new BoundMessage(binding.method.input, message), binding, pathValues);
  return message;
}

function readBody({ body, method }: RestBinding, bytes: Uint8Array, json: Codec): Message {
  const { input } = method;
  if (body === undefined) {
    if (bytes.length === 0) return create(input);
    throw requestProblem("UNEXPECTED_BODY", [], "this method takes no request body over REST");
  }
  if (bytes.length === 0) return create(input);
  if (body === "*") return decodeJsonBody(json, input, bytes, "");
  const message = create(input);
  if (body.fieldKind === "message") {
    const inner = decodeJsonBody(json, body.message, bytes, body.name);
    if (isPlain(body)) setPlain(message, body, inner);
    else reflect(input, message).set(body, reflect(body.message, inner));
    return message;
  }
  // Checks that the body is a single JSON value: text after it could set other fields in the wrapped JSON.
  parseJsonBody(bytes);
  return decodeJsonBody(json, input, wrapInField(body, bytes), "");
}

/** Returns the JSON of a message with one field, whose value is `bytes`. */
export function wrapInField(field: DescField, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`{${JSON.stringify(field.jsonName)}:`), bytes, Buffer.from("}")]);
}

/** Returns the query if it has system parameters only: with body "*" no field can come from the query. */
function onlySystem(query: QueryParameters): QueryParameters {
  for (let at = 0; at < query.length; at += 2) {
    const name = query[at] as string;
    if (name.startsWith("$")) continue;
    throw requestProblem("INVALID_QUERY", [
      { field: name, description: "cannot be in the query, because the body contains all fields" },
    ]);
  }
  return query;
}

/** A request message under construction. Creates the reflection on demand: it is the most expensive step, and most requests do not need it. */
class BoundMessage {
  readonly message: Message;
  readonly #schema: DescMessage;
  #reflected: ReflectMessage | undefined = undefined;

  constructor(schema: DescMessage, message: Message) {
    this.#schema = schema;
    this.message = message;
  }

  get reflected(): ReflectMessage {
    this.#reflected ??= reflect(this.#schema, this.message);
    return this.#reflected;
  }
}

/** Whether a field can be set as a plain property: it is not in a oneof, not a 64-bit integer as string, and not a well-known type. */
function isPlain(field: DescField): boolean {
  if (field.oneof !== undefined) return false;
  if (field.fieldKind === "scalar") return !field.longAsString;
  return field.fieldKind === "enum" || (field.fieldKind === "message" && hasNamedFields(field.message));
}

function setPlain(message: Message, { localName }: DescField, value: unknown): void {
  (message as unknown as Record<string, unknown>)[localName] = value;
}

function setPathFields(target: BoundMessage, { pathFields }: RestBinding, values: readonly string[]): void {
  pathFields.forEach((fields, at) => {
    const field = fields.at(-1) as DescField;
    try {
      const value = parseValue(field, values[at] as string);
      if (fields.length === 1 && field.fieldKind !== "message" && isPlain(field)) {
        setPlain(target.message, field, value);
      } else reachMessage(target.reflected, fields).set(field, value);
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      const path = fields.map((one) => one.name).join(".");
      throw requestProblem("INVALID_PATH", [{ field: path, description: error.message }]);
    }
  });
}

/** Returns the message that contains the last field; creates messages on the way. */
function reachMessage(target: ReflectMessage, fields: readonly DescField[]): ReflectMessage {
  return fields.slice(0, -1).reduce(innerMessage, target);
}

function setMask(target: ReflectMessage, { body, method, pathFields }: RestBinding, bytes: Uint8Array): void {
  if (body === undefined || body === "*" || body.fieldKind !== "message" || bytes.length === 0) return;
  const maskField = findMaskField(method.input);
  if (maskField === undefined || maskField === body || target.isSet(maskField)) return;
  const inPath = pathFields.filter(([first]) => first === body);
  const excluded = new Set(
    inPath.map((fields) =>
      fields
        .slice(1)
        .map((field) => field.name)
        .join("."),
    ),
  );
  const paths = maskOfBody(body.message, parseJsonBody(bytes), body.name, excluded);
  target.set(maskField, reflect(FieldMaskSchema, create(FieldMaskSchema, { paths })));
}

/** Sets `idempotency_key` and `etag` from `Idempotency-Key` and `If-Match` unless they are set. Returns whether `If-Match` has set a field. */
function setHeaderFields(bound: BoundMessage, { body }: RestBinding, request: RestRequest): boolean {
  const key = request.header("idempotency-key");
  if (key !== undefined) setIfUnset(bound.reflected, "idempotency_key", key);
  const ifMatch = request.header("if-match");
  if (ifMatch === undefined) return false;
  const target = bound.reflected;
  if (setIfUnset(target, "etag", ifMatch)) return true;
  if (body === undefined || body === "*" || body.fieldKind !== "message" || !target.isSet(body)) return false;
  const inner = target.get(body);
  return isReflectMessage(inner) && setIfUnset(inner, "etag", ifMatch);
}

function setIfUnset(message: ReflectMessage, name: string, value: string): boolean {
  const field = message.fields.find((one) => one.name === name);
  if (field?.fieldKind !== "scalar" || message.isSet(field)) return false;
  const current = message.get(field);
  if (typeof current !== "string") return false;
  message.set(field, value);
  return true;
}
