// For list and update methods.
export { compareValues, type ReadField, readMessageField } from "./compare-values.ts";
export { applyFieldMask, type FieldMaskOptions } from "./field-mask.ts";
export type { Filter, FilterValue } from "./filter.ts";
export type { ListField, ListFields, ListFieldType } from "./list-fields.ts";
export { filterToSql, type ListColumn, type ListSqlOptions, orderToSql, type SqlCondition } from "./list-sql.ts";
export { compareItems, matchesFilter } from "./match-filter.ts";
export { type OrderKey, parseOrderBy } from "./order-by.ts";
export { createPageTokens, type PageTokenKey, type PageTokens, type PageTokensOptions } from "./page-tokens.ts";
export { parseFilter } from "./parse-filter.ts";
export type { TextPattern } from "./text-pattern.ts";
