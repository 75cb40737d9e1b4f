/** Converts `USER_NOT_FOUND` to `UserNotFound`. */
export type PascalName<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Capitalize<Lowercase<First>>}${PascalName<Rest>}`
  : Capitalize<Lowercase<Name>>;

/** Converts `USER_NOT_FOUND` to `userNotFound`. */
export type CamelName<Name extends string> = Uncapitalize<PascalName<Name>>;

/** Converts `USER_NOT_FOUND` to `UserNotFound` at run time. Words are separated by `_`; empty ones are skipped. */
export function pascalName(name: string): string {
  return name
    .split("_")
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1).toLowerCase()}`)
    .join("");
}

export function camelName(name: string): string {
  const pascal = pascalName(name);
  return `${pascal.slice(0, 1).toLowerCase()}${pascal.slice(1)}`;
}
