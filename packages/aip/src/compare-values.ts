import type { DescEnum } from "@bufbuild/protobuf";
import type { FilterValue } from "./filter.ts";
import type { ListFieldType } from "./list-fields.ts";

/** Reads a field, by the name it has in filters, from one item of a list. */
export type ReadField<Item> = (item: Item, field: string) => unknown;

const nanosPerSecond = 1_000_000_000n;
const nanosPerMs = 1_000_000n;

/**
 * A value of an item in the form that filters compare: times and durations in nanoseconds, whether they are messages, Dates,
 * or milliseconds. Undefined for what is not set.
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

/** Like strcmp, by UTF-16 units: the same everywhere, whatever the locale. Numbers and bigints compare with each other. */
export function compareValues(a: FilterValue, b: FilterValue): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/**
 * Reads fields of protobuf-es messages: `address.city_name` is `message.address.cityName`. A message that is not set has no
 * fields.
 */
export function readMessageField(item: unknown, field: string): unknown {
  let value = item;
  for (const name of field.split(".")) {
    const local = name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase());
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, local)) {
      // Fields with presence have their defaults on the prototype.
      const inherited = typeof value === "object" && value !== null && "$typeName" in value && local in value;
      if (!inherited || local in Object.prototype) return undefined;
    }
    value = (value as Record<string, unknown>)[local];
  }
  return value;
}
