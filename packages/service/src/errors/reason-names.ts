/** `USER_NOT_FOUND` as `UserNotFound`. */
export type PascalName<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Capitalize<Lowercase<First>>}${PascalName<Rest>}`
  : Capitalize<Lowercase<Name>>;

/** `USER_NOT_FOUND` as `userNotFound`. */
export type CamelName<Name extends string> = Uncapitalize<PascalName<Name>>;

/** The same for values. Words are separated by `_`; an empty one adds nothing. */
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
