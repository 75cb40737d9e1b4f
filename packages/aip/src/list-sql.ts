import type { Filter, FilterValue } from "./filter.ts";
import type { OrderKey } from "./order-by.ts";
import { type TextPattern, toLikePattern } from "./text-pattern.ts";

/** The column of a field. */
export interface ListColumn {
  /** The column name, or an expression, as SQL. It becomes part of the statement unchanged: never build it from a request. */
  readonly sql: string;
  /** Converts a value to the column's form. Required for times and durations, whose values are nanoseconds. */
  readonly toParameter?: (value: FilterValue) => unknown;
}

export interface ListSqlOptions {
  readonly dialect: "sqlite" | "postgresql";
  /** The columns of the fields that filters and orders may use. A string is the name of a column whose values need no conversion. */
  readonly columns: Readonly<Record<string, string | ListColumn>>;
  /** The number of the first parameter; for postgresql only. Default 1. */
  readonly firstParameter?: number;
}

/** A condition for WHERE: its text, and the values of its parameters in their order. */
export interface SqlCondition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Translates a filter to an SQL condition. All values are parameters, so the text contains nothing of the request. The condition selects the
 * same items as `matchesFilter`, if NULL means that a field is not set. NOT is moved to the comparisons, so that the database can use an
 * index for the rest.
 *
 * @throws TypeError when a field has no column
 */
export function filterToSql(filter: Filter, options: ListSqlOptions): SqlCondition {
  const writer = new ConditionWriter(options);
  return { text: writer.write(filter, false), values: writer.values };
}

/**
 * Translates an order to the SQL after ORDER BY; empty without an order. Add a unique column at the end, or pages may overlap. SQLite
 * sorts NULL before other values, as `compareItems` does; PostgreSQL sorts NULL after them.
 *
 * @throws TypeError when a field has no column
 */
export function orderToSql(order: readonly OrderKey[], options: ListSqlOptions): string {
  return order.map(({ field, descending }) => `${columnOf(options, field).sql}${descending ? " DESC" : ""}`).join(", ");
}

function columnOf({ columns }: ListSqlOptions, field: string): ListColumn {
  const column = Object.hasOwn(columns, field) ? columns[field] : undefined;
  if (column === undefined) throw new TypeError(`columns has no entry for the field "${field}"`);
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

  /** SQLite's LIKE ignores case, so SQLite gets GLOB. */
  #like(sql: string, pattern: TextPattern): string {
    if (this.#options.dialect === "postgresql") return `${sql} LIKE ${this.#push(toLikePattern(pattern))} ESCAPE '\\'`;
    return `${sql} GLOB ${this.#push(pattern.pieces.map((piece) => piece.replace(/[*?[]/g, "[$&]")).join("*"))}`;
  }

  #parameter(field: string, type: unknown, value: FilterValue): string {
    const { toParameter } = this.#column(field);
    if (toParameter !== undefined) return this.#push(toParameter(value));
    if (type === "timestamp" || type === "duration") {
      throw new TypeError(
        `the column of "${field}" needs toParameter, because databases store times in different forms`,
      );
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
