import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { quote } from "./request-problem.ts";
import { hasNamedFields } from "./text-types.ts";

const maxDepth = 8;

/** The fields of a path, outermost first, or the problem of an invalid path. */
export type FieldPath =
  | { readonly fields: readonly DescField[] }
  | { readonly problem: string; readonly isUnknown: boolean };

/** Finds a field by a path of JSON or proto names, such as `author.given_name`. */
export function findFieldPath(schema: DescMessage, name: string): FieldPath {
  const parts = name.split(".");
  if (parts.length > maxDepth) return { problem: `is nested deeper than ${maxDepth} fields`, isUnknown: false };
  const fields: DescField[] = [];
  let message: DescMessage | undefined = schema;
  for (const part of parts) {
    if (message === undefined) {
      return { problem: `leads into ${quote(pathOf(fields))}, which has no fields of its own`, isUnknown: false };
    }
    const field: DescField | undefined = message.fields.find((one) => one.name === part || one.jsonName === part);
    if (field === undefined) return { problem: explainUnknown(fields, part, message), isUnknown: true };
    fields.push(field);
    message = field.fieldKind === "message" && hasNamedFields(field.message) ? field.message : undefined;
  }
  return { fields };
}

/** Joins the proto names with dots. */
export function pathOf(fields: readonly DescField[]): string {
  return fields.map((field) => field.name).join(".");
}

function explainUnknown(before: readonly DescField[], part: string, message: DescMessage): string {
  const nearest = nearestName(
    part,
    message.fields.map((field) => field.name),
  );
  const path = [...before.map((one) => one.name), nearest].join(".");
  return `is not a field of ${message.typeName}${nearest === undefined ? "" : `; did you mean ${quote(path)}?`}`;
}
