import type { Filter, FilterValue } from "./filter.ts";
import type { OrderKey } from "./order-by.ts";
import { type TextPattern, toLikePattern } from "./text-pattern.ts";

/** Where a field is stored. */
export interface ListColumn {
  /** The column, or an expression, as SQL. It becomes part of the statement as it is: never build it from what a caller sent. */
  readonly sql: string;
  /** The form in which the column holds values. Necessary for times and durations, which come in nanoseconds. */
  readonly toParameter?: (value: FilterValue) => unknown;
}

export interface ListSqlOptions {
  readonly dialect: "sqlite" | "postgresql";
  /** A column for each field that filters and orders may use. A string is a column that holds values as they are. */
  readonly columns: Readonly<Record<string, string | ListColumn>>;
  /** For postgresql: the number of the first parameter. Default 1. */
  readonly firstParameter?: number;
}

/** A condition for WHERE: its text, and the values of its parameters in order. */
export interface SqlCondition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * A filter as a condition with parameters, without anything of the caller's in its text. It means what `matchesFilter` means,
 * NULL being what is not set. NOT is moved to the comparisons, so that an index still serves what is not negated.
 *
 * @throws TypeError when a field has no column
 */
export function filterToSql(filter: Filter, options: ListSqlOptions): SqlCondition {
  const writer = new ConditionWriter(options);
  return { text: writer.write(filter, false), values: writer.values };
}

/**
 * The order as SQL after ORDER BY; empty without an order. Add a unique column of your own, or pages overlap.
 *
 * @throws TypeError when a field has no column
 */
export function orderToSql(order: readonly OrderKey[], options: ListSqlOptions): string {
  return order.map(({ field, descending }) => `${columnOf(options, field).sql}${descending ? " DESC" : ""}`).join(", ");
}

function columnOf({ columns }: ListSqlOptions, field: string): ListColumn {
  const column = Object.hasOwn(columns, field) ? columns[field] : undefined;
  if (column === undefined) throw new TypeError(`columns has no column for the field "${field}"`);
  return typeof column === "string" ? { sql: column } : column;
}

class ConditionWriter {
  readonly values: unknown[] = [];
  readonly #options: ListSqlOptions;

  constructor(options: ListSqlOptions) {
    this.#options = options;
  }

  write(filter: Filter, isNegated: boolean): string {
    switch (filter.kind) {
      case "everything":
        return isNegated ? "1 = 0" : "1 = 1";
      case "and":
      case "or": {
        const joint = (filter.kind === "and") === isNegated ? " OR " : " AND ";
        return `(${filter.operands.map((operand) => this.write(operand, isNegated)).join(joint)})`;
      }
      case "not":
        return this.write(filter.operand, !isNegated);
      case "present":
        return this.#present(filter, isNegated);
      case "like": {
        const { sql } = this.#column(filter.field);
        const condition = this.#like(sql, filter.pattern);
        return isNegated ? `(NOT ${condition} OR ${sql} IS NULL)` : condition;
      }
      case "contains":
        return this.#contains(filter, isNegated);
      case "compare": {
        const { sql } = this.#column(filter.field);
        const parameter = this.#parameter(filter.field, filter.type, filter.value);
        if (!isNegated) return `${sql} ${filter.relation} ${parameter}`;
        const opposite = { "=": "<>", "<": ">=", "<=": ">", ">": "<=", ">=": "<" }[filter.relation];
        return `(${sql} ${opposite} ${parameter} OR ${sql} IS NULL)`;
      }
    }
  }

  #column(field: string): ListColumn {
    return columnOf(this.#options, field);
  }

  #present({ field, isRepeated }: { field: string; isRepeated: boolean }, isNegated: boolean): string {
    const { sql } = this.#column(field);
    if (!isRepeated) return `${sql} IS ${isNegated ? "NULL" : "NOT NULL"}`;
    const length = this.#options.dialect === "sqlite" ? `json_array_length(${sql})` : `cardinality(${sql})`;
    return isNegated ? `coalesce(${length}, 0) = 0` : `${length} > 0`;
  }

  #contains(filter: Filter & { kind: "contains" }, isNegated: boolean): string {
    const { sql } = this.#column(filter.field);
    const parameter = this.#parameter(filter.field, filter.type, filter.value);
    if (this.#options.dialect === "sqlite") {
      return `${isNegated ? "NOT " : ""}EXISTS (SELECT 1 FROM json_each(${sql}) WHERE value = ${parameter})`;
    }
    return isNegated ? `(NOT ${parameter} = ANY(${sql}) OR ${sql} IS NULL)` : `${parameter} = ANY(${sql})`;
  }

  /** SQLite's LIKE takes no notice of case, its GLOB does. */
  #like(sql: string, pattern: TextPattern): string {
    if (this.#options.dialect === "postgresql") return `${sql} LIKE ${this.#push(toLikePattern(pattern))} ESCAPE '\\'`;
    return `${sql} GLOB ${this.#push(pattern.pieces.map((piece) => piece.replace(/[*?[]/g, "[$&]")).join("*"))}`;
  }

  #parameter(field: string, type: unknown, value: FilterValue): string {
    const { toParameter } = this.#column(field);
    if (toParameter !== undefined) return this.#push(toParameter(value));
    if (type === "timestamp" || type === "duration") {
      throw new TypeError(`the column of "${field}" needs toParameter, because databases hold times in many forms`);
    }
    // SQLite has no booleans.
    return this.#push(typeof value === "boolean" && this.#options.dialect === "sqlite" ? Number(value) : value);
  }

  #push(value: unknown): string {
    this.values.push(value);
    if (this.#options.dialect === "sqlite") return "?";
    return `$${this.values.length - 1 + (this.#options.firstParameter ?? 1)}`;
  }
}
