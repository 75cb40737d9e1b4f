import type { DescEnum } from "@bufbuild/protobuf";
import type { ListFieldType } from "./list-fields.ts";
import type { TextPattern } from "./text-pattern.ts";

/** The value in a comparison. An enum value is its number; times and durations are nanoseconds. */
export type FilterValue = string | number | boolean | bigint;

/**
 * A parsed and checked filter: every field is declared, and every value has the type of its field.
 *
 * - `everything`: the empty filter.
 * - `compare`: the field's value satisfies the relation. `!=` is a `not` around `=`.
 * - `like`: the field's string matches a pattern with wildcards.
 * - `contains`: a repeated field has an element that equals the value.
 * - `present`: the field is set (`field:*`).
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
