import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { nearestName } from "@tercel/grpc/internal";
import { quote, requestProblem } from "./request-problem.ts";
import { hasNamedFields } from "./text-types.ts";

const maxPaths = 256;

/** Finds the field mask of an update request (AIP-134). Undefined if the request has none or several. */
export function findMaskField(input: DescMessage): (DescField & { fieldKind: "message" }) | undefined {
  const masks = input.fields.filter(
    (field) => field.fieldKind === "message" && field.message.typeName === FieldMaskSchema.typeName,
  );
  return masks.length === 1 ? (masks[0] as DescField & { fieldKind: "message" }) : undefined;
}

/**
 * Returns the field mask of a PATCH body: the fields in the JSON, including those with `null`, as proto names relative to the message. Descends into
 * messages, but not into repeated fields, maps and well-known types; for `{}` the mask has the message itself. `excluded` has the fields that the
 * path sets, relative to the same message.
 *
 * @throws ConnectError InvalidArgument for an unknown field: a typo must not lead to a partial update
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
        `the body has more than ${maxPaths} fields; replace whole messages instead`,
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
