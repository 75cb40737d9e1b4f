import type { DescEnum } from "@bufbuild/protobuf";
import type { FilterValue } from "./filter.ts";
import type { ListFieldType } from "./list-fields.ts";

/** Reads a field from an item of a list. `field` is its name in filters. */
export type ReadField<Item> = (item: Item, field: string) => unknown;

const nanosPerSecond = 1_000_000_000n;
const nanosPerMs = 1_000_000n;

/**
 * Converts a field's value to the form that filters compare. Times and durations, which may be messages, Dates or milliseconds, become
 * nanoseconds. Returns undefined for a field that is not set.
 */
export function toFilterValue(value: unknown, type: ListFieldType | DescEnum): FilterValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (type === "timestamp" || type === "duration") return toNanos(value);
  if (typeof value === "object") return undefined;
  return value as FilterValue;
}

function toNanos(value: unknown): bigint | undefined {
  if (value instanceof Date) return BigInt(value.getTime()) * nanosPerMs;
  if (typeof value === "number") return BigInt(Math.round(value)) * nanosPerMs;
  if (typeof value !== "object" || value === null || !("seconds" in value) || !("nanos" in value)) return undefined;
  return BigInt(value.seconds as bigint) * nanosPerSecond + BigInt(value.nanos as number);
}

/**
 * Compares two values; the sign of the result is that of `a - b`. Strings are compared by UTF-16 code units, so the result does not depend on
 * the locale. Numbers can be compared with bigints.
 */
export function compareValues(a: FilterValue, b: FilterValue): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/**
 * Reads a field of a protobuf-es message: `address.city_name` reads `message.address.cityName`. Returns undefined for fields of a message
 * that is not set.
 */
export function readMessageField(item: unknown, field: string): unknown {
  let value = item;
  for (const name of field.split(".")) {
    const local = name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase());
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, local)) {
      // protobuf-es keeps the defaults of fields with presence on the prototype.
      const inherited = typeof value === "object" && value !== null && "$typeName" in value && local in value;
      if (!inherited || local in Object.prototype) return undefined;
    }
    value = (value as Record<string, unknown>)[local];
  }
  return value;
}
