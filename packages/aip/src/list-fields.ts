import type { DescEnum } from "@bufbuild/protobuf";

/** What a field of a list can be compared with. */
export type ListFieldType = "string" | "number" | "bool" | "timestamp" | "duration";

/** A field that may be used in `filter` and `order_by`. */
export type ListField = ListFieldType | DescEnum | { readonly repeated: ListFieldType | DescEnum };

/**
 * The fields that a list can be filtered and ordered by, under the names that callers write: proto names, with dots for what is
 * nested, such as `address.city`.
 */
export type ListFields = Readonly<Record<string, ListField>>;

/** The type of one value of the field. */
export function elementType(field: ListField): ListFieldType | DescEnum {
  return isRepeated(field) ? field.repeated : field;
}

export function isRepeated(field: ListField): field is { readonly repeated: ListFieldType | DescEnum } {
  return typeof field === "object" && "repeated" in field;
}

/** The declared field; undefined for names that are not declared, `constructor` and its like included. */
export function findField(fields: ListFields, name: string): ListField | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
