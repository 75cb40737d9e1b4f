/** A person's name as both packages know it: `user` as one text, `user.v1` in two parts. */
export interface PersonName {
  readonly full: string;
  readonly first: string;
  /** Empty for a name of one word. */
  readonly last: string;
}

/** A name that came as one text: what is before its first space is the first name. Migrations do the same in SQL. */
export function splitName(full: string): PersonName {
  const space = full.indexOf(" ");
  if (space === -1) return { full, first: full, last: "" };
  return { full, first: full.slice(0, space), last: full.slice(space + 1).trimStart() };
}

/** A name that came in two parts, of which either may be empty. */
export function joinName(first: string, last: string): PersonName {
  return { full: [first, last].filter((part) => part !== "").join(" "), first, last };
}
