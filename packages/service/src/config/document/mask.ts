import { isSecretName } from "@tercel/interceptors/logging";

/** What is shown in place of a secret. Its length says nothing. */
export const secretMask = "•••";

/** How far a value must not be shown: not at all, or without the password of a URL. */
export type Secrecy = boolean | "url";

/** What may be shown of a value. `secrecy` is what the schema says; without it the key's name decides. */
export function maskValue<Value>(value: Value, key: string, secrecy: Secrecy | undefined): Value | string {
  const effective = secrecy ?? isSecretName(key);
  // Nothing is hidden by hiding that there is nothing.
  if (effective === false || value === "" || value === null || value === undefined) return value;
  return effective === "url" && typeof value === "string" ? maskUrl(value) : secretMask;
}

/** A URL without its password and parameters; everything is hidden where the text cannot be read as a URL. */
function maskUrl(text: string): string {
  if (!URL.canParse(text)) return secretMask;
  const { protocol, username, password, host, pathname, search } = new URL(text);
  if (host === "") return secretMask;
  if (username === "" && password === "" && search === "") return text;
  const user = username === "" && password === "" ? "" : `${username}${password === "" ? "" : `:${secretMask}`}@`;
  return `${protocol}//${user}${host}${pathname}${search === "" ? "" : `?${secretMask}`}`;
}

/** A line of text in which the passwords of URLs are hidden. */
export function hideUrlPassword(line: string): string {
  return line.replace(/(:\/\/[^\s/:@]*):[^\s/@]*@/g, `$1:${secretMask}@`);
}
