import { create, type DescField, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Codec } from "@tercel/grpc/codec";
import { HttpBodySchema } from "../gen/google/api/httpbody_pb.ts";
import { innerMessage } from "./bind-query.ts";
import { wrapInField } from "./bind-request.ts";
import { findFieldPath, pathOf } from "./field-path.ts";
import { decodeJsonBody } from "./json-body.ts";
import { type FieldValue, parseValue, ValueProblem } from "./parse-value.ts";
import { requestProblem } from "./request-problem.ts";
import type { RestBinding } from "./rest-binding.ts";
import { hasNamedFields } from "./text-types.ts";

/** A part of a multipart form. */
export interface BodyPart {
  /** Path of the field, such as `author.given_name`. */
  readonly name: string;
  /** Media type in lower case, without parameters. */
  readonly contentType: string;
  /** A view of the form's bytes, not a copy. */
  readonly data: Uint8Array;
}

/**
 * Builds a request message from the parts of a form. The name of a part is the path of a field, relative to the rule's body field. The value is
 * text as in a query, JSON if the part has the type application/json, or the raw bytes for `bytes` and `google.api.HttpBody`.
 *
 * @throws ConnectError InvalidArgument that names the part
 */
export function bindParts({ body, method }: RestBinding, parts: Iterable<BodyPart>, json: Codec): Message {
  const message = create(method.input);
  let target = reflect(method.input, message);
  if (body !== "*" && body?.fieldKind === "message") target = innerMessage(target, body);
  const seen = new Set<string>();
  for (const part of parts) bindPart(target, part, json, seen);
  return message;
}

function bindPart(target: ReflectMessage, part: BodyPart, json: Codec, seen: Set<string>): void {
  const found = findFieldPath(target.desc, part.name);
  if ("problem" in found) throw badPart(part.name, found.problem);
  const { fields } = found;
  const message = fields.slice(0, -1).reduce(innerMessage, target);
  const field = fields.at(-1) as DescField;
  const path = pathOf(fields);
  if (part.contentType === "application/json" && !isRaw(field)) {
    const decoded = reflect(message.desc, decodeJsonBody(json, message.desc, wrapInField(field, part.data), ""));
    if (decoded.isSet(field)) message.set(field, decoded.get(field));
    return;
  }
  if (field.fieldKind === "map") throw badPart(path, "is a map; send it as a part of the type application/json");
  const value = readPart(field, part, path);
  if (field.fieldKind === "list") {
    message.get(field).add(value);
    return;
  }
  if (seen.has(path)) throw badPart(path, "occurs twice, but the field is not repeated");
  seen.add(path);
  message.set(field, value);
}

function readPart(field: DescField, { data, contentType }: BodyPart, path: string): FieldValue {
  if (field.message?.typeName === HttpBodySchema.typeName) {
    return reflect(HttpBodySchema, create(HttpBodySchema, { contentType, data: new Uint8Array(data) }));
  }
  // Copied, so that a short value does not keep the whole form in memory.
  if (isRaw(field)) return new Uint8Array(data);
  if (field.message !== undefined && hasNamedFields(field.message)) {
    throw badPart(path, "is a message; name its fields, or send it as a part of the type application/json");
  }
  try {
    return parseValue(field, new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch (error) {
    throw badPart(path, error instanceof ValueProblem ? error.message : "is not UTF-8");
  }
}

/** Whether the value is the part's raw bytes, whatever its content type. */
function isRaw(field: DescField): boolean {
  return field.scalar === ScalarType.BYTES || field.message?.typeName === HttpBodySchema.typeName;
}

function badPart(field: string, description: string) {
  return requestProblem("INVALID_BODY", [{ field: field.slice(0, 64), description }]);
}
