/** A person's name in both forms: one text for `user`, two parts for `user.v1`. */
export interface PersonName {
  readonly full: string;
  readonly first: string;
  /** Empty if the name is one word. */
  readonly last: string;
}

/** Splits a name at its first space. Migrations do the same in SQL. */
export function splitName(full: string): PersonName {
  const space = full.indexOf(" ");
  if (space === -1) return { full, first: full, last: "" };
  return { full, first: full.slice(0, space), last: full.slice(space + 1).trimStart() };
}

/** Joins a name of two parts. Either part may be empty. */
export function joinName(first: string, last: string): PersonName {
  return { full: [first, last].filter((part) => part !== "").join(" "), first, last };
}
