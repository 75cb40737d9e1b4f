import { type Option, text } from "../call/options.ts";

/** A table name that needs no quotes in SQL, with an optional schema, because it becomes part of statements. */
const nameForm = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/;

const defaultTable = "idempotency_keys";

/** The option for the table name. */
export function tableOption(): Option<string, "defaulted"> {
  return text(`a lower-case name, such as ${defaultTable}`, nameForm).or(defaultTable);
}
