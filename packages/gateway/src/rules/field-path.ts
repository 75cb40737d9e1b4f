import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { quote } from "./request-problem.ts";
import { hasNamedFields } from "./text-types.ts";

const maxDepth = 8;

/** Where a name leads: fields from the outermost to the one that is meant, or why it leads nowhere. */
export type FieldPath =
  | { readonly fields: readonly DescField[] }
  | { readonly problem: string; readonly isUnknown: boolean };

/** Finds a field by its name, JSON's or the proto's, dotted through messages: `author.given_name`. */
export function findFieldPath(schema: DescMessage, name: string): FieldPath {
  const parts = name.split(".");
  if (parts.length > maxDepth) return { problem: `goes deeper than ${maxDepth} fields`, isUnknown: false };
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

/** Proto names with dots between them. */
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
