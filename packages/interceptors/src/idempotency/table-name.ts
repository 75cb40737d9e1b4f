/** Goes into SQL as it is, so it has to be a name that needs no quotes, with a schema in front at most. */
const nameForm = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/;

export const defaultTable = "idempotency_keys";

/** @throws TypeError for what is no plain name */
export function checkedTable(where: string, table: string = defaultTable): string {
  if (nameForm.test(table)) return table;
  throw new TypeError(
    `${where}: table is ${JSON.stringify(table)}; it has to be a lower-case name, such as ${defaultTable}`,
  );
}
