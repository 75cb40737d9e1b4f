import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { FieldBehavior } from "../gen/google/api/field_behavior_pb.ts";
import { HttpBodySchema } from "../gen/google/api/httpbody_pb.ts";
import { isRawBody } from "../rules/http-body.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import { hasNamedFields, isJsonType } from "../rules/text-types.ts";
import { subprotocolNames } from "../websocket/subprotocols.ts";
import { behaviorsOf, type SchemaCollection } from "./json-schema.ts";
import type { NamedPath } from "./path-names.ts";
import { type ProtoComments, splitComment } from "./proto-comments.ts";

/** What operations are described with. */
export interface OperationParts {
  readonly schemas: SchemaCollection;
  readonly comments: ProtoComments;
  readonly errorForm: "aip" | "status" | "own";
  /** Streams can be called over WebSockets. */
  readonly hasWebSockets: boolean;
  successStatusOf(method: DescMethod): number;
}

/** Deeper fields of messages are sent in a body. */
const maxQueryDepth = 3;

/** The operation of a binding. `named` has the names of the path that it shares with the bindings of the same shape. */
export function describeOperation(binding: RestBinding, named: NamedPath, parts: OperationParts): JsonObject {
  const { method, index } = binding;
  const { comments, schemas } = parts;
  const id = `${method.parent.name}_${method.name}`;
  const text = splitComment(comments.get(`${method.parent.typeName}.${method.name}`));
  const parameters = [...pathParameters(binding, named, schemas), ...queryParameters(binding, schemas)];
  const requestBody = describeRequestBody(binding, schemas);
  return {
    operationId: index === 0 ? id : `${id}_${index + 1}`,
    tags: [method.parent.typeName],
    summary: text.summary ?? wordsOf(method.name),
    ...(text.description === undefined ? {} : { description: text.description }),
    ...(method.deprecated ? { deprecated: true } : {}),
    ...(method.methodKind === "unary" ? {} : describeStreaming(method.methodKind, parts.hasWebSockets)),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: {
      [String(parts.successStatusOf(method))]: { description: "Success", content: responseContent(binding, parts) },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

/** What a method without a comment does, as far as its name says: `GetBook` gets "Get book". */
function wordsOf(name: string): string {
  const words = name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ").split(" ");
  return words.map((word, at) => (at === 0 || /^[A-Z0-9]{2,}$/.test(word) ? word : word.toLowerCase())).join(" ");
}

function describeStreaming(kind: string, hasWebSockets: boolean): JsonObject {
  return { "x-streaming": kind, ...(hasWebSockets ? { "x-websocket": [...subprotocolNames] } : {}) };
}

function pathParameters({ pathFields }: RestBinding, named: NamedPath, schemas: SchemaCollection): JsonValue[] {
  return named.parameters.map(({ name, variable, isMany, isWhole }) => {
    const field = variable === undefined ? undefined : pathFields[variable]?.at(-1);
    const { description, ...schema } =
      field === undefined || !isWhole ? { type: "string" as const } : schemas.field(field);
    return {
      ...{ name, in: "path", required: true },
      ...(typeof description === "string" ? { description } : {}),
      schema: withoutBehavior(schema),
      ...(isMany ? { "x-multi-segment": true } : {}),
    };
  });
}

function queryParameters({ method, body, pathFields }: RestBinding, schemas: SchemaCollection): JsonValue[] {
  if (body === "*" || method.methodKind === "client_streaming") return [];
  const taken = pathFields.map((fields) => fields.map((field) => field.name).join("."));
  const found: JsonValue[] = [];
  const add = (message: DescMessage, jsonPrefix: string, protoPrefix: string, depth: number): void => {
    for (const field of message.fields) {
      const path = `${protoPrefix}${field.name}`;
      if (taken.includes(path) || field === body || behaviorsOf(field).includes(FieldBehavior.OUTPUT_ONLY)) continue;
      const name = `${jsonPrefix}${field.jsonName}`;
      if (field.fieldKind === "message" && hasNamedFields(field.message)) {
        if (depth < maxQueryDepth && field.message !== message) add(field.message, `${name}.`, `${path}.`, depth + 1);
      } else if (isQueryField(field)) found.push(queryParameter(field, name, schemas));
    }
  };
  add(method.input, "", "", 1);
  return found;
}

function isQueryField(field: DescField): boolean {
  if (field.fieldKind === "map" || field.message?.typeName === "google.protobuf.Any") return false;
  return field.fieldKind !== "list" || field.message === undefined;
}

function queryParameter(field: DescField, name: string, schemas: SchemaCollection): JsonObject {
  const { description, deprecated, ...schema } = schemas.field(field);
  const isRequired = behaviorsOf(field).includes(FieldBehavior.REQUIRED);
  const isJson = field.message !== undefined && isJsonType(field.message);
  const plain = withoutBehavior(schema);
  return {
    ...{ name, in: "query" },
    ...(typeof description === "string" ? { description } : {}),
    ...(deprecated === true ? { deprecated: true } : {}),
    ...(isRequired ? { required: true } : {}),
    ...(isJson ? { content: { "application/json": { schema: plain } } } : { schema: plain }),
  };
}

/** They say who sends a property, and a parameter is always sent by the client. */
function withoutBehavior({ readOnly: _read, writeOnly: _write, ...schema }: JsonObject): JsonObject {
  return schema;
}

function describeRequestBody(binding: RestBinding, schemas: SchemaCollection): JsonObject | undefined {
  const { body, method, httpMethod } = binding;
  if (body === undefined) return undefined;
  if (isRawBody(method.input, body)) return { content: rawContent };
  const schema = body === "*" ? wholeBody(binding, schemas) : schemas.value(body);
  if (method.methodKind === "client_streaming") {
    return { content: { "application/x-ndjson": { schema } }, description: "One message a line." };
  }
  const content: JsonObject = { "application/json": { schema } };
  if (httpMethod === "PATCH") content["application/merge-patch+json"] = { schema };
  else if (takesFiles(body === "*" ? method.input : body.message)) content["multipart/form-data"] = { schema };
  return { required: true, content };
}

/** Any message can be sent as a form. For those with bytes it is the better way, and worth to be described. */
function takesFiles(message: DescMessage | undefined): boolean {
  return (message?.fields ?? []).some(
    (field) => field.scalar === ScalarType.BYTES || field.message?.typeName === HttpBodySchema.typeName,
  );
}

/** The request without what the path holds. */
function wholeBody({ method, pathFields }: RestBinding, schemas: SchemaCollection): JsonObject {
  const { input } = method;
  const inPath = pathFields.filter((fields) => fields.length === 1).map(([field]) => field);
  if (inPath.length === 0) return schemas.message(input);
  return schemas.object(
    input,
    input.fields.filter((field) => !inPath.includes(field)),
  );
}

function responseContent({ method, responseBody }: RestBinding, { schemas, errorForm }: OperationParts): JsonObject {
  if (isRawBody(method.output, responseBody)) return rawContent;
  const schema = responseBody === undefined ? schemas.message(method.output) : schemas.value(responseBody);
  if (method.methodKind !== "server_streaming") return { "application/json": { schema } };
  const line = {
    type: "object",
    // The last line has what is in the body of an error, without the name that AIP-193 puts around it.
    properties: {
      result: schema,
      error: { $ref: `#/components/schemas/Error${errorForm === "aip" ? "/properties/error" : ""}` },
    },
  };
  return {
    "application/x-ndjson": { schema: line },
    "text/event-stream": { schema: { type: "string", description: "Each event's data is a message as JSON." } },
    "application/json": { schema: { type: "array", items: schema } },
  };
}

const rawContent: JsonObject = { "*/*": { schema: { type: "string", format: "binary" } } };
