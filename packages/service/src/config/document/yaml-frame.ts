import { isSecretName } from "@tercel/interceptors/logging";
import { hideUrlPassword, secretMask } from "./mask.ts";
import type { Origin } from "./origin.ts";

const maxShownLength = 120;
/** A key anywhere in a line, in flow style as well: `{ user: a, password: b }`. */
const keyPattern = /([\w.-]+)["']?\s*:(?=\s|$)/g;

/**
 * The line of a problem with a caret below the column, as compilers show it. Values of keys with names such as `password` are not shown:
 * the file may be broken, but its secrets are real.
 */
export function yamlFrame(text: string, origin: Origin): string {
  if (origin.kind !== "file") return "";
  const lines = text.split(/\r?\n/);
  const number = String(origin.line);
  const shown = hideSecrets(lines, origin.line - 1).slice(0, maxShownLength);
  // Tabs stay tabs, so that the caret is below the character wherever the terminal has its tab stops.
  const before = shown.slice(0, origin.column - 1).replace(/[^\t]/g, " ");
  return `  ${number} | ${shown}\n  ${" ".repeat(number.length)} | ${before}^`;
}

function hideSecrets(lines: readonly string[], index: number): string {
  const line = lines[index] ?? "";
  const keys = [...line.matchAll(keyPattern)];
  const secret = keys.find(([, name = ""]) => isSecretName(name));
  if (secret !== undefined) return `${line.slice(0, secret.index + secret[0].length)} ${secretMask}`;
  if (keys.length === 0 && isInsideSecret(lines, index)) return `${/^\s*/.exec(line)?.[0]}${secretMask}`;
  return hideUrlPassword(line);
}

/** Whether a line without a key continues the value of a secret one above it, a private key in several lines for example. */
function isInsideSecret(lines: readonly string[], index: number): boolean {
  for (let above = index - 1; above >= 0; above--) {
    const last = [...(lines[above] ?? "").matchAll(keyPattern)].at(-1);
    if (last !== undefined) return isSecretName(last[1] ?? "");
  }
  return false;
}
