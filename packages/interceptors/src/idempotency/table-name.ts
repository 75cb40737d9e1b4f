import { type Option, text } from "../call/options.ts";

/** Goes into SQL as it is, so it must be a name that needs no quotes, with a schema in front at most. */
const nameForm = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/;

const defaultTable = "idempotency_keys";

/** The option that names the table. */
export function tableOption(): Option<string, "defaulted"> {
  return text(`a lower-case name, such as ${defaultTable}`, nameForm).or(defaultTable);
}
