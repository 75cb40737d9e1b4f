import { compareValues, type ReadField, readMessageField, toFilterValue } from "./compare-values.ts";
import type { Filter } from "./filter.ts";
import { elementType, findField, type ListFields } from "./list-fields.ts";
import type { OrderKey } from "./order-by.ts";
import { matchesPattern } from "./text-pattern.ts";

/**
 * Whether an item matches the filter. Comparisons with a field that is not set are false, so its `!=` is true.
 *
 * @param read reads a field of the item. Default: `readMessageField`, for protobuf-es messages
 */
export function matchesFilter<Item>(filter: Filter, item: Item, read: ReadField<Item> = readMessageField): boolean {
  switch (filter.kind) {
    case "everything":
      return true;
    case "and":
      return filter.operands.every((operand) => matchesFilter(operand, item, read));
    case "or":
      return filter.operands.some((operand) => matchesFilter(operand, item, read));
    case "not":
      return !matchesFilter(filter.operand, item, read);
    case "present":
      return isPresent(read(item, filter.field));
    case "like": {
      const text = read(item, filter.field);
      return typeof text === "string" && matchesPattern(filter.pattern, text);
    }
    case "contains": {
      const elements = read(item, filter.field);
      if (!Array.isArray(elements)) return false;
      return elements.some((element) => {
        const value = toFilterValue(element, filter.type);
        return value !== undefined && compareValues(value, filter.value) === 0;
      });
    }
    case "compare": {
      const value = toFilterValue(read(item, filter.field), filter.type);
      return value !== undefined && holds(filter.relation, compareValues(value, filter.value));
    }
  }
}

function holds(relation: "=" | "<" | "<=" | ">" | ">=", order: number): boolean {
  switch (relation) {
    case "=":
      return order === 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** As in proto3, a value that equals the default counts as not set. */
function isPresent(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false || value === 0n)
    return false;
  return !Array.isArray(value) || value.length > 0;
}

/**
 * Returns a comparison function for `Array.prototype.sort`. Fields that are not set sort before all values, so they come last in descending
 * order.
 *
 * @throws TypeError when `order` has a field that `fields` does not declare
 */
export function compareItems<Item>(
  order: readonly OrderKey[],
  fields: ListFields,
  read: ReadField<Item> = readMessageField,
): (a: Item, b: Item) => number {
  const keys = order.map(({ field, descending }) => {
    const declared = findField(fields, field);
    if (declared === undefined) throw new TypeError(`compareItems: unknown field "${field}"`);
    return { field, type: elementType(declared), sign: descending ? -1 : 1 };
  });
  return (a, b) => {
    for (const { field, type, sign } of keys) {
      const left = toFilterValue(read(a, field), type);
      const right = toFilterValue(read(b, field), type);
      if (left === right) continue;
      if (left === undefined) return -sign;
      if (right === undefined) return sign;
      const order = compareValues(left, right);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}
