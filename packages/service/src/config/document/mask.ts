import { isSecretName } from "@tercel/interceptors/logging";

/** Replacement for a secret. Its length is constant. */
export const secretMask = "•••";

/** How a value is masked: `true` hides it, `"url"` hides the password of a URL. */
export type Secrecy = boolean | "url";

/** Masks a value. `secrecy` comes from the schema; without it, the key's name decides. */
export function maskValue<Value>(value: Value, key: string, secrecy: Secrecy | undefined): Value | string {
  const effective = secrecy ?? isSecretName(key);
  // An empty value is not masked.
  if (effective === false || value === "" || value === null || value === undefined) return value;
  return effective === "url" && typeof value === "string" ? maskUrl(value) : secretMask;
}

/** Masks the password and parameters of a URL; masks the whole text if it is not a URL. */
function maskUrl(text: string): string {
  if (!URL.canParse(text)) return secretMask;
  const { protocol, username, password, host, pathname, search } = new URL(text);
  if (host === "") return secretMask;
  if (username === "" && password === "" && search === "") return text;
  const user = username === "" && password === "" ? "" : `${username}${password === "" ? "" : `:${secretMask}`}@`;
  return `${protocol}//${user}${host}${pathname}${search === "" ? "" : `?${secretMask}`}`;
}

/** Masks the passwords of URLs in a line of text. */
export function hideUrlPassword(line: string): string {
  return line.replace(/(:\/\/[^\s/:@]*):[^\s/@]*@/g, `$1:${secretMask}@`);
}
