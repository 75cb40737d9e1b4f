import type { DescMethod, DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { RestBinding } from "../rules/rest-binding.ts";
import { SchemaCollection } from "./json-schema.ts";
import type { OpenApiInfo } from "./openapi-options.ts";
import { describeOperation } from "./operations.ts";
import { type NamedPath, namePath } from "./path-names.ts";
import { type ProtoComments, splitComment } from "./proto-comments.ts";

/** What a document is made of. */
export interface OpenApiSource {
  readonly bindings: readonly RestBinding[];
  readonly comments: ProtoComments;
  readonly info: OpenApiInfo;
  /** The form of errors; one that the application makes itself is not known. */
  readonly errorForm: "aip" | "status" | "own";
  /** Streams can be called over WebSockets. */
  readonly hasWebSockets: boolean;
  successStatusOf(method: DescMethod): number;
}

/** The HTTP methods that OpenAPI has a place for. */
const describedMethods: ReadonlySet<string> = new Set([
  "GET",
  "PUT",
  "POST",
  "DELETE",
  "OPTIONS",
  "HEAD",
  "PATCH",
  "TRACE",
]);

/** Describes a REST API as OpenAPI 3.1. The same source gives the same bytes. */
export function createOpenApi(source: OpenApiSource): JsonObject {
  const { bindings, comments, info } = source;
  const schemas = new SchemaCollection(comments, "#/components/schemas/");
  const described = bindings.filter((binding) => describedMethods.has(binding.httpMethod));
  const services = [...new Set(described.map((binding) => binding.method.parent))];
  const paths = describePaths(described, { ...source, schemas });
  const document: JsonObject = {
    openapi: "3.1.0",
    info: {
      title: info.title ?? (services.map((service) => service.name).join(", ") || "API"),
      ...(info.description === undefined ? {} : { description: info.description }),
      version: info.version ?? "1.0.0",
    },
    // Where the document is, unless the overlay says otherwise.
    servers: [{ url: "/" }],
    ...(services.length === 0 ? {} : { tags: services.map((service) => describeTag(service, comments)) }),
    paths,
    components: {
      schemas: { ...schemas.all, Error: errorSchemas[source.errorForm] },
      responses: { Error: errorResponse },
    },
  };
  return info.overlay === undefined ? document : (merge(document, info.overlay) as JsonObject);
}

function describePaths(
  bindings: readonly RestBinding[],
  parts: OpenApiSource & { readonly schemas: SchemaCollection },
): JsonObject {
  const byShape = new Map<string, { readonly named: NamedPath; readonly item: Record<string, JsonValue> }>();
  for (const binding of bindings) {
    const named = namePath(binding.template);
    const known = byShape.get(named.shape);
    const place = known ?? { named, item: {} };
    if (known === undefined) byShape.set(named.shape, place);
    // The names of a path are those of its first binding; the fields behind them are each binding's own.
    const renamed = {
      ...named,
      parameters: named.parameters.map((one, at) => ({ ...one, name: place.named.parameters[at]?.name ?? one.name })),
    };
    place.item[binding.httpMethod.toLowerCase()] = describeOperation(binding, renamed, parts);
  }
  return Object.fromEntries([...byShape.values()].map(({ named, item }) => [named.path, item]));
}

function describeTag(service: DescService, comments: ProtoComments): JsonObject {
  const { summary, description } = splitComment(comments.get(service.typeName));
  const text = description ?? summary;
  return { name: service.typeName, ...(text === undefined ? {} : { description: text }) };
}

/** Objects are merged key by key. */
function merge(below: JsonValue | undefined, above: JsonValue): JsonValue {
  if (!isObject(below) || !isObject(above)) return above;
  const merged = new Map<string, JsonValue>(Object.entries(below) as [string, JsonValue][]);
  for (const [key, value] of Object.entries(above)) merged.set(key, merge(merged.get(key), value as JsonValue));
  return Object.fromEntries(merged);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const details: JsonObject = {
  type: "array",
  items: {
    type: "object",
    required: ["@type"],
    properties: { "@type": { type: "string" } },
    additionalProperties: true,
  },
};

const errorSchemas: Readonly<Record<OpenApiSource["errorForm"], JsonObject>> = {
  /** AIP-193. */
  aip: {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["code", "message", "status"],
        properties: {
          code: { type: "integer", description: "The HTTP status." },
          message: { type: "string", description: "For developers, in English." },
          status: { type: "string", description: "The name of the gRPC code, such as NOT_FOUND." },
          details,
        },
      },
    },
  },
  /** google.rpc.Status. */
  status: {
    type: "object",
    required: ["code", "message"],
    properties: {
      code: { type: "integer", description: "The gRPC code." },
      message: { type: "string", description: "For developers, in English." },
      details,
    },
  },
  own: {},
};

const errorResponse: JsonObject = {
  description: "The call failed",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};
