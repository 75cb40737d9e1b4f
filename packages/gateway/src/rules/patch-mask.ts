import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { nearestName } from "@tercel/grpc/internal";
import { quote, requestProblem } from "./request-problem.ts";
import { hasNamedFields } from "./text-types.ts";

const maxPaths = 256;

/** The only field mask among a request's fields, which an update sets (AIP-134). Undefined for none, and for several. */
export function findMaskField(input: DescMessage): (DescField & { fieldKind: "message" }) | undefined {
  const masks = input.fields.filter(
    (field) => field.fieldKind === "message" && field.message.typeName === FieldMaskSchema.typeName,
  );
  return masks.length === 1 ? (masks[0] as DescField & { fieldKind: "message" }) : undefined;
}

/**
 * The field mask that a PATCH body means: the fields that it names, `null` included, by proto name and relative to the message. It goes
 * into messages, and stops at repeated fields, maps and well-known types; `{}` names the message it stands for. `excluded` are the fields, relative to the same
 * message, that the path holds.
 *
 * @throws ConnectError InvalidArgument for a key that is not a field: an update that is misspelt must not be half done
 */
export function maskOfBody(
  schema: DescMessage,
  json: JsonValue,
  bodyName: string,
  excluded: ReadonlySet<string>,
): string[] {
  const paths: string[] = [];
  if (isObject(json)) addPaths(paths, schema, json, "", { bodyName, excluded });
  return paths;
}

function addPaths(
  paths: string[],
  schema: DescMessage,
  json: JsonObject,
  prefix: string,
  where: { readonly bodyName: string; readonly excluded: ReadonlySet<string> },
): void {
  for (const [key, value] of Object.entries(json)) {
    const field = schema.fields.find((one) => one.jsonName === key || one.name === key);
    if (field === undefined) throw unknownKey(schema, key, `${where.bodyName}.${prefix}`);
    const path = `${prefix}${field.name}`;
    if (where.excluded.has(path)) continue;
    const canDescend = field.fieldKind === "message" && hasNamedFields(field.message);
    if (canDescend && isObject(value) && Object.keys(value).length > 0) {
      addPaths(paths, field.message, value, `${path}.`, where);
    } else {
      paths.push(path);
    }
    if (paths.length > maxPaths) {
      throw requestProblem(
        "INVALID_BODY",
        [],
        `the body names more than ${maxPaths} fields; replace whole messages instead`,
      );
    }
  }
}

function unknownKey(schema: DescMessage, key: string, prefix: string) {
  const nearest = nearestName(
    key,
    schema.fields.map((field) => field.jsonName),
  );
  const hint = nearest === undefined ? "" : `; did you mean ${quote(nearest)}?`;
  const field = `${prefix}${key.slice(0, 64)}`;
  return requestProblem("UNKNOWN_FIELD", [{ field, description: `is not a field of ${schema.typeName}${hint}` }]);
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
