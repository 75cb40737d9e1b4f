import type { DescEnum } from "@bufbuild/protobuf";
import type { ListFieldType } from "./list-fields.ts";
import type { TextPattern } from "./text-pattern.ts";

/** A value of a comparison: number, bool and string as such, an enum's by number, times and durations in nanoseconds. */
export type FilterValue = string | number | boolean | bigint;

/**
 * A checked filter: every field is declared and every value has its field's type.
 *
 * - `everything`: the empty filter.
 * - `compare`: one value of the field satisfies this relation. `equals` negated is the filter's `!=`.
 * - `like`: a string with `*` in it matches the field.
 * - `contains`: a repeated field has an element that is equal.
 * - `present`: the field holds something (`field:*`).
 */
export type Filter =
  | { readonly kind: "everything" }
  | { readonly kind: "and" | "or"; readonly operands: readonly Filter[] }
  | { readonly kind: "not"; readonly operand: Filter }
  | {
      readonly kind: "compare";
      readonly field: string;
      readonly type: ListFieldType | DescEnum;
      readonly relation: "=" | "<" | "<=" | ">" | ">=";
      readonly value: FilterValue;
    }
  | { readonly kind: "like"; readonly field: string; readonly pattern: TextPattern }
  | {
      readonly kind: "contains";
      readonly field: string;
      readonly type: ListFieldType | DescEnum;
      readonly value: FilterValue;
    }
  | { readonly kind: "present"; readonly field: string; readonly isRepeated: boolean };
