import type { DescEnum } from "@bufbuild/protobuf";

/** The type of a field for comparisons. */
export type ListFieldType = "string" | "number" | "bool" | "timestamp" | "duration";

/** A field that may be used in `filter` and `order_by`. */
export type ListField = ListFieldType | DescEnum | { readonly repeated: ListFieldType | DescEnum };

/**
 * The fields that `filter` and `order_by` of a list request may use, by their proto names. Nested fields have dots in their names, such as
 * `address.city`.
 */
export type ListFields = Readonly<Record<string, ListField>>;

/** Returns the type of the field, or of the elements of a repeated field. */
export function elementType(field: ListField): ListFieldType | DescEnum {
  return isRepeated(field) ? field.repeated : field;
}

export function isRepeated(field: ListField): field is { readonly repeated: ListFieldType | DescEnum } {
  return typeof field === "object" && "repeated" in field;
}

/** Returns the declared field. Undefined for other names, including those of Object.prototype, such as `constructor`. */
export function findField(fields: ListFields, name: string): ListField | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
