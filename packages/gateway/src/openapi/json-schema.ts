import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";
import { FieldBehavior, field_behavior } from "../gen/google/api/field_behavior_pb.ts";
import type { ProtoComments } from "./proto-comments.ts";

/** Schemas of messages as ProtoJSON writes them: each message and enum once, by its full name, and references to them. */
export class SchemaCollection {
  readonly #comments: ProtoComments;
  readonly #refBase: string;
  readonly #schemas = new Map<string, JsonObject>();

  /** `refBase` goes before a name in references, such as `#/components/schemas/`. */
  constructor(comments: ProtoComments, refBase: string) {
    this.#comments = comments;
    this.#refBase = refBase;
  }

  /** All that were referred to, by name in alphabetical order. */
  get all(): JsonObject {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A message where it is used: a reference, or the schema of a well-known type. */
  message(message: DescMessage): JsonObject {
    const wellKnown = wellKnownSchemas[message.typeName];
    if (wellKnown !== undefined) return wellKnown;
    if (!this.#schemas.has(message.typeName)) {
      // Before its fields, which may refer to it.
      this.#schemas.set(message.typeName, {});
      this.#schemas.set(message.typeName, this.object(message, message.fields));
    }
    return { $ref: `${this.#refBase}${message.typeName}` };
  }

  /** A field's value with what is known of the field. */
  field(field: DescField): JsonObject {
    const description = this.#comments.get(`${field.parent.typeName}.${field.name}`);
    const behaviors = behaviorsOf(field);
    return {
      ...this.value(field),
      ...(description === undefined ? {} : { description }),
      ...(field.deprecated ? { deprecated: true } : {}),
      ...(behaviors.includes(FieldBehavior.OUTPUT_ONLY) ? { readOnly: true } : {}),
      ...(behaviors.includes(FieldBehavior.INPUT_ONLY) ? { writeOnly: true } : {}),
      ...(behaviors.includes(FieldBehavior.IMMUTABLE) ? { "x-immutable": true } : {}),
    };
  }

  value(field: DescField): JsonObject {
    if (field.fieldKind === "list") return { type: "array", items: this.#single(field) };
    if (field.fieldKind === "map") return { type: "object", additionalProperties: this.#single(field) };
    return this.#single(field);
  }

  /** An object of some of a message's fields. */
  object(message: DescMessage, fields: readonly DescField[]): JsonObject {
    const description = this.#comments.get(message.typeName);
    const required = fields.filter((field) => behaviorsOf(field).includes(FieldBehavior.REQUIRED));
    const exclusions = message.oneofs.flatMap((oneof) =>
      pairsOf(oneof.fields.filter((field) => fields.includes(field))),
    );
    return {
      type: "object",
      ...(description === undefined ? {} : { description }),
      ...(message.deprecated ? { deprecated: true } : {}),
      properties: Object.fromEntries(fields.map((field) => [field.jsonName, this.field(field)])),
      ...(required.length === 0 ? {} : { required: required.map((field) => field.jsonName) }),
      ...(exclusions.length === 0 ? {} : { allOf: exclusions }),
    };
  }

  #single({ scalar, enum: type, message }: Pick<DescField, "scalar" | "enum" | "message">): JsonObject {
    if (message !== undefined) return this.message(message);
    return type === undefined ? scalarSchema(scalar as ScalarType) : this.#enum(type);
  }

  #enum(type: DescEnum): JsonObject {
    if (type.typeName === "google.protobuf.NullValue") return { type: "null" };
    if (!this.#schemas.has(type.typeName)) {
      const lines = type.values.map(({ name }) => [name, this.#comments.get(`${type.typeName}.${name}`)] as const);
      const explained = lines.filter(([, text]) => text !== undefined).map(([name, text]) => `- ${name}: ${text}`);
      const description = [this.#comments.get(type.typeName), explained.join("\n")].filter((one) => one).join("\n\n");
      this.#schemas.set(type.typeName, {
        type: "string",
        enum: type.values.map((value) => value.name),
        ...(description === "" ? {} : { description }),
      });
    }
    return { $ref: `${this.#refBase}${type.typeName}` };
  }
}

export function behaviorsOf(field: DescField): readonly FieldBehavior[] {
  return hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
}

/** Two fields of a oneof never come together. */
function pairsOf(fields: readonly DescField[]): JsonObject[] {
  return fields.flatMap((one, at) =>
    fields.slice(at + 1).map((other) => ({ not: { required: [one.jsonName, other.jsonName] } })),
  );
}

const int64: JsonObject = { type: "string", format: "int64", pattern: "^-?[0-9]+$" };
const uint64: JsonObject = { type: "string", format: "uint64", pattern: "^[0-9]+$" };

function scalarSchema(scalar: ScalarType): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.FLOAT:
      return { type: "number", format: "float" };
    case ScalarType.DOUBLE:
      return { type: "number", format: "double" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0, maximum: 4_294_967_295 };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
    default:
      return { type: "integer", format: "int32" };
  }
}

const wellKnownSchemas: Readonly<Record<string, JsonObject | undefined>> = Object.assign(Object.create(null), {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": { type: "string", description: "Names of fields with commas between them." },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string", description: "The name of the message's type." } },
    required: ["@type"],
    additionalProperties: true,
  },
  "google.protobuf.BoolValue": scalarSchema(ScalarType.BOOL),
  "google.protobuf.BytesValue": scalarSchema(ScalarType.BYTES),
  "google.protobuf.DoubleValue": scalarSchema(ScalarType.DOUBLE),
  "google.protobuf.FloatValue": scalarSchema(ScalarType.FLOAT),
  "google.protobuf.Int32Value": scalarSchema(ScalarType.INT32),
  "google.protobuf.Int64Value": int64,
  "google.protobuf.StringValue": scalarSchema(ScalarType.STRING),
  "google.protobuf.UInt32Value": scalarSchema(ScalarType.UINT32),
  "google.protobuf.UInt64Value": uint64,
});
